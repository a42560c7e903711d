"""BMP layouts beyond Pillow's: what each pixel must be, computed from the file's description.

tests/browser/test_as_shown.py compares the same files with Chromium.
"""

import struct
from io import BytesIO

import pytest
from PIL import Image

from cropsvc.imaging.headers.probe import probe
from cropsvc.imaging.params.parser import parse
from cropsvc.imaging.render.render import Rendered, render
from cropsvc.model.errors import Unreadable
from cropsvc.model.limits import Limits
from tests.as_shown import bmps

FILES = dict(bmps.files())
BLACK, CLEAR = (0, 0, 0, 255), (0, 0, 0, 0)


def rendered(data: bytes, **more: object) -> Rendered:
    made = render(data, parse([("format", "png"), *more.items()]), Limits(), lambda *_: None)[0]
    if made.error:
        raise made.error
    return made


def pixels(data: bytes) -> dict[tuple[int, int], tuple[int, ...]]:
    image = Image.open(BytesIO(rendered(data).data)).convert("RGBA")
    return {(x, y): image.getpixel((x, y)) for y in range(image.height) for x in range(image.width)}  # type: ignore[misc]  # getpixel may return a float for other modes


def seen(value: int, mask: int) -> int:
    """What is left of a channel's 8 bits in a file whose mask is this."""
    if not mask:
        return 0
    bits = bin(mask).count("1")
    most = 2**bits - 1
    stored = round(value * most / 255)
    return stored >> (bits - 8) if bits > 8 else (stored * 510 + most) // (2 * most)


@pytest.mark.parametrize("name", bmps.MASKS)
def test_channels_are_read_wherever_the_masks_put_them(name: str) -> None:
    _, masks = bmps.MASKS[name]
    found = pixels(FILES[f"masks-{name}-header40"])
    for (x, y), value in found.items():
        wanted = [seen(c, m) for c, m in zip(bmps.color(x, y), masks, strict=False)]
        assert value == (*wanted, 255), (x, y)


@pytest.mark.parametrize("name", bmps.ALPHA_MASKS)
def test_an_alpha_mask_is_obeyed_even_where_all_of_it_is_zero(name: str) -> None:
    _, masks = bmps.ALPHA_MASKS[name]
    for (x, y), value in pixels(FILES[f"alpha-{name}-header124"]).items():
        assert value[3] == seen(bmps.color(x, y)[3], masks[3]), (x, y)
    assert {p[3] for p in pixels(FILES[f"alpha-{name}-header124-all-0"]).values()} == {0}


def test_version_5_of_32_bits_has_alpha_and_older_versions_have_none() -> None:
    new, old = (pixels(FILES[f"rgb32-alpha-masks-header{size}"]) for size in (124, 56))
    assert {new[x, 0][3] for x in range(13)} == {255 - x * 12 for x in range(13)}
    assert {value[3] for value in old.values()} == {255}


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("pal")])
def test_palette_images_are_read_in_every_version_and_depth(name: str) -> None:
    if "cut" in name:
        return
    depth = int(name[3])
    colors = 2**depth // 2 if name.endswith("half-palette") and depth > 1 else 2**depth
    for (x, y), value in pixels(FILES[name]).items():
        number = bmps.index(x, y, depth)
        beyond = number >= colors or (name == "pal1-half-palette" and number == 1)
        assert value == (BLACK if beyond else (*bmps.PALETTE[number], 255)), (x, y)


@pytest.mark.parametrize("depth", [4, 8])
@pytest.mark.parametrize("kind", ["runs", "absolute"])
def test_run_length_images_give_the_indexes(depth: int, kind: str) -> None:
    for (x, y), value in pixels(FILES[f"rle{depth}-{kind}"]).items():
        assert value == (*bmps.PALETTE[bmps.index(x, y, depth)], 255), (x, y)


@pytest.mark.parametrize("kind", ["runs", "absolute"])
def test_run_length_of_24_bits_gives_the_colors(kind: str) -> None:
    for (x, y), value in pixels(FILES[f"rle24-{kind}"]).items():
        assert value == (*bmps.color(x, y)[:3], 255), (x, y)


@pytest.mark.parametrize("depth", [4, 8])
def test_pixels_that_no_run_covers_are_black(depth: int) -> None:
    found = pixels(FILES[f"rle{depth}-skips"])
    assert found[5, 6] == BLACK
    assert found[1, 6] != BLACK


@pytest.mark.parametrize("depth", [4, 8])
def test_a_run_that_leaves_its_row_is_cut_there(depth: int) -> None:
    found = pixels(FILES[f"rle{depth}-beyond-row"])
    assert len(set(found.values())) == (1 if depth == 8 else 2)


@pytest.mark.parametrize(
    "name", [n for n in FILES if "-cut-" in n or n.endswith("-no-end")], ids=str
)
def test_rows_that_the_file_does_not_hold_are_transparent(name: str) -> None:
    found = pixels(FILES[name])
    alphas = [found[0, y][3] for y in range(bmps.HEIGHT)]
    if name.startswith("top"):
        alphas = alphas[::-1]
    assert alphas == sorted(alphas)
    assert alphas[0] == 0
    rows = [y for y in range(bmps.HEIGHT) if len({found[x, y][3] for x in range(13)}) > 1]
    assert rows == []


def test_channels_of_a_large_image_are_cut_out_in_strips() -> None:
    width, height = 2500, 2000
    header = bmps.with_masks(bmps.information(40, 16, 3), (0x0F00, 0x00F0, 0x000F))
    header = header[:4] + struct.pack("<ii", width, height) + header[12:]
    rows = [struct.pack("<H", y % 4096) * width for y in range(height)]
    made = Image.open(BytesIO(rendered(bmps.file(header, b"".join(rows[::-1]))).data))
    for y in (0, 1, 1599, 1600, 1999):
        assert made.getpixel((7, y)) == tuple(17 * (y >> shift & 15) for shift in (8, 4, 0))


@pytest.mark.parametrize(
    ("size", "depth", "compression", "word"),
    [
        (40, 24, 4, "JPEG"),
        (40, 32, 5, "PNG"),
        (64, 1, 3, "Huffman"),
        (40, 24, 1, "not defined"),
        (40, 3, 0, "not defined"),
        (12, 16, 0, "not defined"),
        (13, 24, 0, "no version"),
    ],
)
def test_what_no_browser_shows_is_refused_by_name(
    size: int, depth: int, compression: int, word: str
) -> None:
    header = bmps.information(size, depth, compression)[:size].ljust(size, b"\0")
    if size == 13:
        header = struct.pack("<I", 13) + header[4:]
    with pytest.raises(Unreadable, match=word):
        probe(bmps.file(header, bytes(600)), Limits())
