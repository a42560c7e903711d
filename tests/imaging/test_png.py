"""PNG files that are damaged, cut or odd: what each pixel must be.

tests/browser/test_as_shown.py compares the same files with Chromium.
"""

import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, ImageChops

from cropsvc.model.errors import Unreadable
from tests import pictures
from tests.as_shown import pngs
from tests.as_shown.pngs import HEIGHT, WIDTH, color, png
from tests.as_shown.pngs_color import chunk
from tests.imaging.engine import crop, opened
from tests.imaging.test_color import gray_profile

FILES = dict(pngs.files())


def shown(name: str) -> Image.Image:
    return opened(crop(FILES[name], format="png")).convert("RGBA")


def known_rows(image: Image.Image) -> int:
    """Rows from the top that are opaque and right, the rest being transparent."""
    rows = sum(image.getpixel((0, y))[3] == 255 for y in range(HEIGHT))  # type: ignore[index]
    for y in range(HEIGHT):
        for x in (0, WIDTH // 2, WIDTH - 1):
            wanted = (*color(x, y), 255) if y < rows else (0, 0, 0, 0)
            assert image.getpixel((x, y)) == wanted, (x, y)
    return rows


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in FILES
        if name.startswith(("sound-", "damaged-", "empty-", "after-"))
        and not name.endswith(("gAMA", "cHRM"))
    ],
)
def test_chunks_that_are_not_pixels_cannot_spoil_the_image(name: str) -> None:
    assert known_rows(shown(name)) == HEIGHT


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("wrong-adler", HEIGHT),
        ("no-adler", HEIGHT),
        ("too-long", HEIGHT),
        ("ends-early", HEIGHT // 2),
        ("wrong-filter", 20),
        ("several-idat", HEIGHT),
        ("damaged-idat", HEIGHT),
        ("plain-no-iend", HEIGHT),
    ],
)
def test_rows_are_shown_down_to_the_first_fault(name: str, rows: int) -> None:
    assert known_rows(shown(name)) == rows
    assert ("source-truncated" in crop(FILES[name]).notes) == (rows < HEIGHT)


@pytest.mark.parametrize("share", ["0.3", "0.5", "0.7", "0.9"])
def test_a_cut_interlaced_image_is_opaque_and_coarse(share: str) -> None:
    image = shown(f"cut-interlaced-{share}")
    assert image.getextrema()[3] == (255, 255)
    assert image.getpixel((0, 0)) == (*color(0, 0), 255)
    assert "source-truncated" in crop(FILES[f"cut-interlaced-{share}"]).notes


def test_an_index_beyond_the_palette_shows_its_last_color_and_alpha() -> None:
    image, with_alpha = shown("palette-3"), shown("palette-3-alphas-4")
    assert image.getpixel((2, 0)) == image.getpixel((9, 0))
    assert with_alpha.getpixel((2, 0)) == with_alpha.getpixel((9, 0))
    assert with_alpha.getpixel((9, 0))[3] == 32  # type: ignore[index]


def test_only_the_exact_color_of_16_bits_is_transparent() -> None:
    image = shown("key-16-low-byte")
    assert [image.getpixel((x, 0))[3] for x in range(4)] == [0, 255, 0, 255]  # type: ignore[index]


@pytest.mark.parametrize("profile", [None, gray_profile(1.8)], ids=["plain", "profile"])
@pytest.mark.parametrize("mode", ["L", "I;16"])
def test_a_cut_grey_image_is_as_bright_as_the_whole(mode: str, profile: bytes | None) -> None:
    grey = Image.radial_gradient("L").convert("I").point(lambda value: value * 257)
    image = grey.convert("I;16") if mode == "I;16" else Image.radial_gradient("L")
    data = pictures.save(image, "png", icc_profile=profile or b"")
    whole, part = (opened(crop(one)).convert("LA") for one in (data, data[: len(data) // 2]))
    rows = part.crop(part.getchannel("A").getbbox())
    assert 60 < rows.height < 200
    assert ImageChops.difference(rows, whole.crop((0, 0, *rows.size))).getextrema()[0][1] <= 1


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize(("key", "hides"), [(1, True), (257, True), (255, False)])
def test_a_transparent_grey_counts_by_its_low_byte(bits: int, key: int, hides: bool) -> None:
    alphas = shown(f"gray-{bits}-key-{key}").getchannel("A").getextrema()
    assert alphas == ((0, 255) if hides else (255, 255))


@pytest.mark.parametrize("chunk", ["IHDR", "PLTE"])
def test_a_damaged_chunk_that_the_pixels_need_is_refused(chunk: str) -> None:
    data = FILES["palette-16"]
    end = (
        data.index(chunk.encode())
        + 4
        + int.from_bytes(data[data.index(chunk.encode()) - 4 : data.index(chunk.encode())], "big")
    )
    with pytest.raises(Unreadable, match=chunk):
        crop(data[:end] + bytes((data[end] ^ 1,)) + data[end + 1 :])


def test_a_chunk_that_must_be_understood_and_is_not_is_refused() -> None:
    with pytest.raises(Unreadable, match="ABCD"):
        crop(png(pngs.chunk(b"ABCD", b"1")))


def test_what_follows_the_last_row_costs_no_memory() -> None:
    black = pictures.encode(np.zeros((30, 40, 3), np.uint8))  # ends in zeros: unpacked once more
    bomb = chunk(b"IDAT", zlib.compress(bytes(50_000_000)))
    data = black[: black.index(b"IDAT") - 4] + bomb + chunk(b"IEND", b"")
    tracemalloc.start()
    image = opened(crop(data, format="png"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert image.size == (40, 30)
    assert peak < 20_000_000
