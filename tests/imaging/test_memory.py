"""Peak memory: at most 3 x width x height x 4 bytes + 60 MB, whatever the source and the outputs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests import pictures
from tests.imaging.measured import measured

W, H = 2400, 1600
AVIF_PIXEL = 30  # bytes more per pixel of an AVIF output


def photo() -> Image.Image:
    return Image.fromarray(pictures.photo(W, H))


def clear() -> Image.Image:
    image = photo()
    image.putalpha(image.convert("L"))
    return image


def save(kind: str, **options: object) -> Callable[[], bytes]:
    return lambda: pictures.save(photo(), kind, **options)


def moving(kind: str) -> bytes:
    frames = [Image.fromarray(pictures.photo(600, 400, seed=seed)) for seed in range(16)]
    return pictures.save(frames[0], kind, save_all=True, append_images=frames[1:], quality=50)


SOURCES: dict[str, Callable[[], bytes]] = {
    "jpeg": save("jpeg"),
    "jpeg-progressive": save("jpeg", progressive=True, subsampling=0),
    "jpeg-turned": lambda: pictures.oriented(pictures.photo(W, H), 6, "jpeg"),
    "png": save("png", compress_level=1),
    "png-alpha": lambda: pictures.save(clear(), "png", compress_level=1),
    "png-palette": lambda: pictures.save(photo().quantize(64), "png", transparency=0),
    "webp": save("webp", method=0),
    "webp-alpha": lambda: pictures.save(clear(), "webp", method=0),
    "avif": save("avif", speed=10),
    "tiff": save("tiff"),
    "tiff-turned": lambda: pictures.oriented(pictures.photo(W, H), 6, "tiff"),
    "tiff-cmyk": lambda: pictures.save(photo().convert("CMYK"), "tiff"),
    "tiff-float": lambda: pictures.save(photo().convert("F"), "tiff"),
    "gif": lambda: pictures.save(photo().quantize(64), "gif"),
    "bmp": save("bmp"),
}
OUTPUTS: dict[str, list[dict[str, object]]] = {
    "whole": [{"format": "png"}],
    "whole-jpeg": [{"format": "jpeg", "rotate": 90}],
    "scaled": [{"size": "1000x", "format": "webp"}],
    "many": [{"size": f"{100 * step}x"} for step in range(1, 17)],
    "avif": [{"format": "avif", "size": "800x"}],
    "gif": [{"format": "gif"}],
}


@pytest.fixture(scope="module")
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("memory") / request.param
    path.write_bytes(SOURCES[request.param]())
    return path


@pytest.mark.parametrize("outputs", OUTPUTS)
@pytest.mark.parametrize("file", SOURCES, indirect=True)
def test_peak_memory_is_bounded_by_the_pixels(file: Path, outputs: str) -> None:
    told = measured(file, outputs=json.dumps(OUTPUTS[outputs]))
    assert set(told["outcome"]) == {"done"}  # type: ignore[call-overload]
    extra = AVIF_PIXEL * 800 * 600 if outputs == "avif" or "avif" in file.name else 0
    if "avif" in file.name:
        extra += AVIF_PIXEL * W * H
    assert told["grew"] <= 3 * W * H * 4 + 60_000_000 + extra


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_an_animation_is_made_in_the_memory_of_a_few_frames(kind: str, tmp_path: Path) -> None:
    path = tmp_path / kind
    path.write_bytes(moving(kind))
    entries = [{"format": "gif"}, {"format": "webp", "size": "300x"}]
    told = measured(path, outputs=json.dumps(entries))
    assert told["outcome"] == ["done", "done"]
    assert told["grew"] <= 3 * 600 * 400 * 4 + 60_000_000
