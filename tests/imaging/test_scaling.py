"""The quick ways to scale are as good as the plain one: full decode, then Lanczos."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from tests import pictures
from tests.imaging.engine import Pixels, crop, decoded, opened, outputs, pixels
from tests.imaging.test_pixels import SHOW

PHOTOS = Path(__file__).parents[1] / "photos"
WORK = [  # box, size
    ("700,400,1500,1200", "300x300"),
    (None, "256x256"),
    (None, "1024x683"),
    ("0,0,100%,100%", "64x64"),
    ("10%,60%,80%,40%", "333x200"),
    ("1001,777,640,481", "425x319"),
    ("1001,777,640,481", "200x150"),
]


def plain(data: bytes, region: tuple[int, int, int, int], size: tuple[int, int]) -> Pixels:
    """The way that anybody would write: decode everything, cut, scale."""
    x, y, width, height = region
    with Image.open(io.BytesIO(data)) as image:
        part = image.convert("RGB").crop((x, y, x + width, y + height))
    return np.asarray(part.resize(size, Image.Resampling.LANCZOS))


def likeness(one: Pixels, other: Pixels) -> float:
    return float(structural_similarity(one, other, channel_axis=2))


@pytest.mark.parametrize(("box", "size"), WORK)
@pytest.mark.parametrize("photo", ["sunset-12mp.jpg", "stream-6mp.jpg"])
def test_a_photo_scaled_quickly_looks_the_same(photo: str, box: str | None, size: str) -> None:
    data = (PHOTOS / photo).read_bytes()
    params = {"size": size, "fit": "stretch"} | ({"box": box} if box else {})
    made = crop(data, format="png", **params)
    expected = plain(data, made.region, (made.width, made.height))
    assert likeness(np.asarray(opened(made)), expected) >= 0.99


def test_many_sizes_of_one_upload_look_the_same() -> None:
    data = (PHOTOS / "stream-6mp.jpg").read_bytes()
    sizes = [(64 * step, 43 * step) for step in range(1, 17)]
    entries = [{"size": f"{w}x{h}", "fit": "stretch", "format": "png"} for w, h in sizes]
    made_all = outputs(data, *entries)
    for size, made in list(zip(sizes, made_all, strict=True))[:13:3]:
        expected = plain(data, (0, 0, 3088, 2056), size)
        assert likeness(np.asarray(opened(made)), expected) >= 0.99, size


@pytest.mark.parametrize("orientation", [1, 6, 7])
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("size", ["41x31", "100x80", "330x260"])
def test_turned_pictures_are_scaled_as_well(kind: str, orientation: int, size: str) -> None:
    data = pictures.oriented(pictures.photo(400, 300), orientation, kind, quality=95)
    made = np.asarray(opened(crop(data, size=size, fit="stretch", format="png")).convert("RGB"))
    width, height = map(int, size.split("x"))
    turned = np.ascontiguousarray(SHOW[orientation](decoded(data)))
    expected = Image.fromarray(turned).resize((width, height), Image.Resampling.LANCZOS)
    assert likeness(made, np.asarray(expected)) >= 0.99


@pytest.mark.parametrize("mode", ["RGBA", "LA", "L", "P", "CMYK", "I;16"])
def test_modes_are_scaled_from_smaller_copies_alike(mode: str) -> None:
    gray = pictures.photo(800, 600)
    picture = Image.fromarray(gray)
    if mode == "P":
        picture = picture.quantize(256)
    elif mode == "I;16":
        picture = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    else:
        picture = picture.convert(mode)
    data = pictures.save(picture, "tiff")
    entries = [{"size": size, "fit": "stretch"} for size in ("800x600", "200x150", "60x45")]
    made = outputs(data, *entries)
    whole = opened(made[0]).convert("RGB")
    for one in made[1:]:
        expected = np.asarray(whole.resize((one.width, one.height), Image.Resampling.LANCZOS))
        assert likeness(np.asarray(opened(one).convert("RGB")), expected) >= 0.99


@pytest.mark.parametrize("kind", ["png", "webp", "gif"])
@pytest.mark.parametrize("size", ["200x320", "25x40", "8x8"])
def test_neighbours_of_the_region_leave_no_colour_along_its_edges(kind: str, size: str) -> None:
    halves = np.zeros((80, 100, 3), np.uint8)
    halves[:, :50], halves[:, 50:] = (255, 0, 0), (0, 0, 255)
    kept = io.BytesIO()
    Image.fromarray(halves).save(kept, kind, **({"lossless": True} if kind == "webp" else {}))
    made = pixels(kept.getvalue(), box="50,0,50,80", size=size)
    assert set(map(tuple, made.reshape(-1, 3))) == {(0, 0, 255)}


def framed(side: int) -> Image.Image:
    """White, with a red frame of one pixel."""
    frame = np.full((side, side, 3), 255, np.uint8)
    frame[0] = frame[-1] = frame[:, 0] = frame[:, -1] = (255, 0, 0)
    return Image.fromarray(frame)


def strengths(image: Image.Image) -> list[int]:
    """How red the middles of the left, upper, right and lower edges are."""
    green = np.asarray(image.convert("RGB"))[:, :, 1].astype(int)
    half = len(green) // 2
    return [int(255 - edge[half]) for edge in (green[:, 0], green[0], green[:, -1], green[-1])]


@pytest.mark.parametrize("side", [250, 255, 256, 257, 260, 1001])
@pytest.mark.parametrize("kind", ["png", "jpeg", "progressive", "4:2:0"])
def test_all_edges_of_an_image_count_alike(kind: str, side: int) -> None:
    options: dict[str, object] = {"quality": 100, "subsampling": 2 if kind == "4:2:0" else 0}
    options = {} if kind == "png" else options | {"progressive": kind == "progressive"}
    data = pictures.save(framed(side), "png" if kind == "png" else "jpeg", **options)
    entries = [{"size": f"{small}x{small}", "format": "png"} for small in (16, 30, 31, 100)]
    shared = outputs(data, *entries)
    alone = [crop(data, **entry) for entry in entries]  # type: ignore[arg-type]
    for made in (*shared, *alone):
        edges = strengths(opened(made))
        assert max(edges) - min(edges) <= 3, made.width
        assert max(edges) == pytest.approx(255 * made.width / side, rel=0.12, abs=2), made.width
