"""Peak memory: at most 3 x width x height x 4 bytes + 60 MB, for any source and outputs."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cropsvc.imaging.render.pillow_setup import making
from cropsvc.model.errors import OutOfMemory
from tests import pictures
from tests.imaging.measured import measured

W, H = 2400, 1600
BOUND = 3 * W * H * 4 + 60_000_000
AVIF_PIXEL = 30  # bytes more per pixel of an AVIF output


PIXELS = np.tile(pictures.photo(W // 4, H // 4), (4, 4, 1))


def photo() -> Image.Image:
    return Image.fromarray(PIXELS)


def clear() -> Image.Image:
    image = photo()
    mask = Image.new("L", image.size)
    mask.paste(255, (W // 5, H // 5, W, H))
    image.putalpha(mask.reduce(4).resize(image.size))
    return image


def save(kind: str, **options: object) -> Callable[[], bytes]:
    return lambda: pictures.save(photo(), kind, **options)


def moving(kind: str) -> bytes:
    frames = [Image.fromarray(pictures.photo(600, 400, seed=seed)) for seed in range(8)]
    return pictures.save(frames[0], kind, save_all=True, append_images=frames[1:], quality=50)


SOURCES: dict[str, Callable[[], bytes]] = {
    "jpeg": save("jpeg"),
    "jpeg-progressive": save("jpeg", progressive=True, subsampling=0),
    "jpeg-turned": lambda: pictures.oriented(PIXELS, 6, "jpeg"),
    "png": save("png", compress_level=1),
    "png-alpha": lambda: pictures.save(clear(), "png", compress_level=1),
    "png-palette": lambda: pictures.save(photo().quantize(64), "png", transparency=0),
    "webp": save("webp", method=0),
    "webp-alpha": lambda: pictures.save(clear(), "webp", method=0),
    "avif": save("avif", speed=10),
    "tiff": save("tiff"),
    "tiff-turned": lambda: pictures.oriented(PIXELS, 6, "tiff"),
    "tiff-cmyk": lambda: pictures.save(photo().convert("CMYK"), "tiff"),
    "tiff-float": lambda: pictures.save(photo().convert("F"), "tiff"),
    "gif": lambda: pictures.save(photo().quantize(64), "gif"),
    "bmp": save("bmp"),
}
WHOLE: list[dict[str, object]] = [{"format": "jpeg", "rotate": 90}]
OTHERS: dict[str, list[dict[str, object]]] = {
    "png": [{"format": "png"}],
    "gif": [{"format": "gif"}],
    "webp": [{"format": "webp"}],
    "avif": [{"format": "avif", "size": "800x"}],
    "many": [{"size": f"{100 * step}x", "format": "jpeg"} for step in range(1, 17)],
    "enlarged": [{"box": "0,0,100,100", "size": "2000x1500", "format": "jpeg"}],
}


def measured_source(kind: str, outputs: list[dict[str, object]], path: Path) -> int:
    """By how much the peak grew for these outputs of this source."""
    path.write_bytes(SOURCES[kind]())
    told = measured(path, outputs=json.dumps(outputs))
    assert told["outcome"] == ["done"] * len(outputs)
    return int(str(told["grew"]))


@pytest.mark.parametrize("kind", SOURCES)
def test_peak_memory_is_bounded_by_the_pixels(kind: str, tmp_path: Path) -> None:
    grew = measured_source(kind, WHOLE, tmp_path / "source")
    assert grew <= BOUND + (AVIF_PIXEL * W * H if kind == "avif" else 0)


@pytest.mark.parametrize("outputs", OTHERS)
@pytest.mark.parametrize("kind", ["jpeg-progressive", "png-alpha"])
def test_it_is_bounded_for_every_kind_of_output(kind: str, outputs: str, tmp_path: Path) -> None:
    grew = measured_source(kind, OTHERS[outputs], tmp_path / "source")
    assert grew <= BOUND + (AVIF_PIXEL * 800 * 533 if outputs == "avif" else 0)


@pytest.mark.parametrize("output", ["png", "jpeg", "webp", "avif", "gif"])
def test_an_output_that_does_not_fit_is_out_of_memory(output: str, tmp_path: Path) -> None:
    path = tmp_path / "small.png"
    path.write_bytes(pictures.png())
    told = measured(path, size="16383x16383", format=output)
    assert told["outcome"] == ["out-of-memory"]


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_an_animation_is_made_in_the_memory_of_a_few_frames(kind: str, tmp_path: Path) -> None:
    path = tmp_path / kind
    path.write_bytes(moving(kind))
    entries = [{"format": "gif"}, {"format": "webp", "size": "300x"}]
    told = measured(path, outputs=json.dumps(entries))
    assert told["outcome"] == ["done", "done"]
    assert told["grew"] <= 3 * 600 * 400 * 4 + 60_000_000


@pytest.mark.parametrize(
    "words",
    ["encoding error 1", "encoding error 2", "Encoding of color planes failed",
     "Encoding of alpha plane failed", "Out of memory"],
)  # fmt: skip
def test_encoder_errors_without_memory_are_out_of_memory(words: str) -> None:
    with pytest.raises(OutOfMemory), making():
        raise RuntimeError(f"Failed to encode image: {words}")
