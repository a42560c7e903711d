"""Lossless outputs, equal to the pixel with numpy slicing of the oriented, decoded picture."""

import random
import zlib
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cropsvc.imaging.headers.probe import probe
from cropsvc.model.errors import BoxOutside
from tests import pictures
from tests.imaging.engine import LIMITS, Pixels, crop, cut, decoded, opened, outputs, pixels

KINDS = {"jpeg": {"quality": 92}, "png": {}, "webp": {"lossless": True}, "tiff": {}}
SHOW = {  # TIFF 6.0, tag 274, in numpy
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}
PHOTO = pictures.photo(123, 77)


def stored(kind: str, orientation: int) -> tuple[bytes, Pixels]:
    """A file with this orientation, and what it shows by an independent way."""
    data = pictures.oriented(PHOTO, orientation, kind, **KINDS[kind])
    if kind == "tiff":  # Pillow turns TIFFs by itself
        return data, PHOTO
    return data, SHOW[orientation](decoded(data))


BOXES = (None, "10,20,50,30", "0,0,1,1", "33.3%,0,10%,100%")
LAST_PIXEL = {"0": "122,76,1,1", "90": "76,122,1,1", "180": "122,76,1,1", "270": "76,122,1,1"}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", KINDS)
def test_every_orientation_and_rotation_is_exact(kind: str, orientation: int) -> None:
    data, shown = stored(kind, orientation)
    assert (probe(data, LIMITS).width, probe(data, LIMITS).height) == (123, 77)
    cases = [(rotate, box) for rotate, last in LAST_PIXEL.items() for box in (*BOXES, last)]
    assert [case for case in cases if not is_exact(data, shown, *case)] == []


def is_exact(data: bytes, shown: Pixels, rotate: str, box: str | None) -> bool:
    """Return whether the crop is that part of *shown*, turned; without *box* all of it."""
    rendered = crop(data, format="png", rotate=rotate, **({"box": box} if box else {}))
    turned = np.rot90(shown, -int(rotate) // 90)
    expected = cut(turned, rendered.region)
    is_whole = box is not None or expected.shape == turned.shape
    return is_whole and np.array_equal(np.asarray(opened(rendered).convert("RGB")), expected)


def test_an_avif_is_turned_by_its_own_properties() -> None:
    for orientation in range(1, 9):
        data = pictures.oriented(PHOTO, orientation, "avif", quality=100, subsampling="4:4:4")
        assert np.array_equal(pixels(data), SHOW[orientation](decoded(data)))


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_an_orientation_in_xmp_is_ignored_as_browsers_do(kind: str) -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
    options: dict[str, object] = {"xmp": xmp}
    if kind == "png":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=True)
        options = {"pnginfo": info}
    data = pictures.encode(PHOTO, kind, **options)
    assert np.array_equal(pixels(data), decoded(data))


def rounded(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def expected_region(box: str, width: int, height: int) -> tuple[tuple[int, ...] | None, bool]:
    """The region of a box by the contract's words, and whether it was clamped."""
    values = []
    for part, side in zip(box.split(","), (width, height, width, height), strict=True):
        number = Fraction(part.rstrip("%"))
        values.append(number * side / 100 if part.endswith("%") else number)
    x, y, w, h = values
    edges = [rounded(edge) for edge in (x, y, x + w, y + h)]
    inside = [max(edges[0], 0), max(edges[1], 0), min(edges[2], width), min(edges[3], height)]
    if edges[2] <= edges[0] or edges[3] <= edges[1]:
        return None, False
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        return None, False
    region = (inside[0], inside[1], inside[2] - inside[0], inside[3] - inside[1])
    return region, inside != edges


def random_length(chance: random.Random, low: float, high: float) -> str:
    number = f"{chance.uniform(low, high):.{chance.randrange(4)}f}"
    return f"{number}%" if chance.random() < 0.3 else number


def random_box(chance: random.Random) -> str:
    """A box of which about a sixth lie outside and a third stick out."""
    place = [random_length(chance, -25, 110) for _ in range(2)]
    size = [random_length(chance, 0, 60) for _ in range(2)]
    size = ["1" if float(side.rstrip("%")) == 0 else side for side in size]
    return ",".join(place + size)


def check_boxes(data: bytes, shown: Pixels, boxes: list[str]) -> dict[str, int]:
    """Render all boxes, 16 at a time, and compare each; how many were exact, clamped, refused."""
    counts = {"exact": 0, "clamped": 0, "refused": 0}
    height, width = shown.shape[:2]
    for start in range(0, len(boxes), 16):
        batch = boxes[start : start + 16]
        for box, made in zip(
            batch, outputs(data, *({"box": box} for box in batch), format="png"), strict=True
        ):
            region, clamped = expected_region(box, width, height)
            if region is None:
                assert isinstance(made.error, BoxOutside), box
                counts["refused"] += 1
                continue
            assert made.region == region, box
            assert ("clamped" in made.notes) == clamped, box
            assert np.array_equal(np.asarray(opened(made).convert("RGB")), cut(shown, region)), box
            counts["clamped" if clamped else "exact"] += 1
    return counts


def test_ten_thousand_boxes_are_exact_or_clamped_or_refused() -> None:
    chance = random.Random(3)
    counts = {"exact": 0, "clamped": 0, "refused": 0}
    for kind in KINDS:
        data, shown = stored(kind, chance.choice(range(1, 9)))
        for key, count in check_boxes(
            data, shown, [random_box(chance) for _ in range(2500)]
        ).items():
            counts[key] += count
    assert sum(counts.values()) == 10_000
    assert min(counts.values()) > 1000


@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": 0},
        {"subsampling": 1},
        {"subsampling": 2},
        {"progressive": True},
        {"restart_marker_blocks": 3},
        {"progressive": True, "restart_marker_rows": 1},
        {"optimize": True, "quality": 30},
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_that_is_not_decoded_to_its_end_has_the_same_pixels(
    options: dict[str, object], mode: str
) -> None:
    picture = Image.fromarray(pictures.photo(150, 333)).convert(mode)
    data = pictures.save(picture, "jpeg", **options)
    shown = decoded(data)
    for bottom in (1, 8, 15, 16, 17, 100, 303, 304, 305, 332, 333):
        top = max(0, bottom - 20)
        region = (3, top, 140, bottom - top)
        assert np.array_equal(pixels(data, box=",".join(map(str, region))), cut(shown, region))


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk with its sum."""
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def exif_of(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[pictures.ORIENTATION] = orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize("packed", [True, False])
def test_exif_in_a_text_of_a_png_does_not_turn_it(packed: bool) -> None:
    block = b"Exif\0\0" + exif_of(6)
    text = b"\nexif\n%8d\n%s\n" % (len(block), block.hex().encode())
    body = b"Raw profile type exif\0" + (b"\0" + zlib.compress(text) if packed else text)
    data = pictures.encode(PHOTO)
    data = data[:33] + chunk(b"zTXt" if packed else b"tEXt", body) + data[33:]
    assert np.array_equal(pixels(data), PHOTO)


def test_an_exif_chunk_after_a_pngs_pixels_does_not_turn_it() -> None:
    data = pictures.encode(PHOTO)
    data = data[:-12] + chunk(b"eXIf", exif_of(8)) + data[-12:]
    assert np.array_equal(pixels(data), PHOTO)


@pytest.mark.parametrize("between", [b"", b"more", pictures.png()])
def test_an_exif_chunk_after_a_pngs_end_does_not_count(between: bytes) -> None:
    data = pictures.encode(PHOTO) + between + chunk(b"eXIf", exif_of(8))
    made = crop(data)
    assert np.array_equal(np.asarray(opened(made)), PHOTO)
    assert made.notes == ()


def test_what_only_looks_like_an_exif_chunk_does_not_count() -> None:
    data = pictures.encode(PHOTO)
    data = data[:-12] + chunk(b"prVt", chunk(b"eXIf", exif_of(8))) + data[-12:]
    assert np.array_equal(pixels(data), PHOTO)


@pytest.mark.parametrize("value", [0, 9, 65_535])
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff"])
def test_an_orientation_that_is_none_of_the_eight_is_ignored(kind: str, value: int) -> None:
    exif = Image.Exif()
    exif[pictures.ORIENTATION] = value
    data = pictures.encode(PHOTO, kind, exif=exif, **KINDS[kind])
    assert np.array_equal(pixels(data), decoded(data))
