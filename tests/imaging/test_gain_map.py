"""`hdr=keep`: the gain map of an Ultra HDR photo, cut and scaled like its image.

The photos are built segment by segment (tests/imaging/ultra_hdr.py).
"""

import struct
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from cropsvc.imaging.headers import avif, xmp
from cropsvc.imaging.headers.gain_map import HDRGM, START, GainMap, find_gain_map
from cropsvc.imaging.headers.model import APPLE_GAIN_MAP
from cropsvc.imaging.headers.probe import probe
from cropsvc.imaging.render import gain_map, jpeg
from cropsvc.model.limits import Limits
from tests import pictures
from tests.imaging.engine import LIMITS, crop, opened, outputs
from tests.imaging.test_color import P3
from tests.imaging.ultra_hdr import (
    ISO,
    ISO_COMMON,
    MAP,
    XMP_FIGURES,
    iso_segment,
    photo,
    xmp_segment,
)

SIZE = (640, 480)
NOTE = "gain-map-dropped"


def map_of(data: bytes) -> GainMap:
    found = find_gain_map(data, LIMITS.scans)
    assert found is not None
    return found


def map_pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(map_of(data).data))).astype(float)


def scaled(pixels: np.ndarray, box: tuple[float, ...], sides: tuple[int, int]) -> np.ndarray:
    image = Image.fromarray(pixels.astype(np.uint8))
    return np.asarray(image.resize(sides, Image.Resampling.BOX, box=box)).astype(float)


@pytest.mark.parametrize("kinds", [("xmp",), ("iso",), ("xmp", "iso")])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_map_shows_what_the_image_shows(kinds: tuple[str, ...], channels: int) -> None:
    data = photo(SIZE, kinds=kinds, channels=channels)
    made = crop(data, box="100,80,400,320", size="200x160", hdr="keep", quality="95")
    assert NOTE not in made.notes
    assert opened(made).size == (200, 160)
    found = map_of(made.data)
    assert (found.width, found.height) == (50, 40)  # a quarter, as in the photo
    expected = scaled(map_pixels(data), (25, 20, 125, 100), (50, 40))
    assert np.abs(map_pixels(made.data) - expected).mean() < 4
    before = map_of(data)
    assert (found.figures, found.iso, found.base_is_hdr) == (
        before.figures, before.iso, before.base_is_hdr,
    )  # fmt: skip


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("rotate", ["0", "90"])
def test_the_map_is_turned_with_the_image(orientation: int, rotate: str) -> None:
    data = photo(SIZE, orientation=orientation, alike=True)
    made = crop(data, rotate=rotate, box="10%,20%,50%,60%", hdr="keep", quality="95")
    image = np.asarray(opened(made).convert("L")).astype(float)
    found = map_pixels(made.data)
    assert np.abs(scaled(image, (0, 0, *image.shape[::-1]), found.shape[::-1]) - found).mean() < 5


def test_the_map_is_straightened_with_the_image() -> None:
    made = crop(photo(SIZE, alike=True), rotate="7.5", size="320x240", hdr="keep", quality="95")
    image, found = np.asarray(opened(made).convert("L")).astype(float), map_pixels(made.data)
    assert found.shape == (60, 80)
    assert np.abs(scaled(image, (0, 0, 320, 240), (80, 60)) - found).mean() < 6


def test_padding_is_not_brighter_than_before() -> None:
    """A map from -1 to 3 with gamma 1: the value without gain is a quarter of 255."""
    figures = {**XMP_FIGURES, "GainMapMin": "-1", "GainMapMax": "3", "Gamma": "1"}
    data = photo(SIZE, figures=figures)
    made = crop(data, size="400x400", fit="contain", hdr="keep", quality="95")
    found = map_pixels(made.data)
    assert found.shape == (100, 100)
    assert np.abs(found[:8] - 64).mean() < 4


@pytest.mark.parametrize("output", ["png", "webp", "avif", "gif"])
def test_other_formats_say_that_it_is_dropped(output: str) -> None:
    assert NOTE in crop(photo(SIZE), format=output, hdr="keep", size="64x").notes


def test_it_is_dropped_unless_it_is_asked_for() -> None:
    made = crop(photo(SIZE), size="64x")
    assert NOTE in made.notes
    assert find_gain_map(made.data, LIMITS.scans) is None


def test_a_jpeg_without_one_has_nothing_to_keep() -> None:
    made = crop(pictures.jpeg(), size="64x", hdr="keep")
    assert NOTE not in made.notes
    assert find_gain_map(made.data, LIMITS.scans) is None


def test_each_output_of_a_job_decides_for_itself() -> None:
    entries = [{"size": "64x", "hdr": "keep"}, {"size": "64x"}, {"hdr": "keep", "format": "png"}]
    assert [NOTE in made.notes for made in outputs(photo(SIZE), *entries)] == [False, True, True]


def test_max_bytes_counts_the_map() -> None:
    data = photo(SIZE)
    plain = crop(data, size="320x", quality="80")
    made = crop(data, size="320x", hdr="keep", max_bytes=str(len(plain.data)))
    assert len(made.data) <= len(plain.data)
    assert map_of(made.data).width == 80


def test_the_credits_stay_with_the_map_and_nothing_else_does() -> None:
    exif = Image.Exif()
    exif[0x013B], exif[0x010F] = "Ann", "Camera"
    data = photo(SIZE, exif=exif, secret="SERIAL")
    made = crop(data, size="64x", hdr="keep", metadata="copyright")
    assert b"Ann" in made.data
    assert b"Camera" not in made.data
    assert b"SERIAL" not in made.data
    assert map_of(made.data).figures


def test_the_index_names_both_images() -> None:
    """MPF as CIPA DC-007 has it, and the length in XMP."""
    made = crop(photo(SIZE, kinds=("xmp", "iso")), size="320x", hdr="keep")
    start = made.data.index(b"MPF\0") + 4
    assert made.data[start : start + 4] == b"MM\0*"
    entries = made.data[start + 50 : start + 82]
    kind, size, offset = struct.unpack_from(">3I", entries)
    assert (kind, offset) == (0x030000, 0)
    _, behind, place = struct.unpack_from(">3I", entries, 16)
    assert size + behind == len(made.data)
    assert place + start == size
    assert made.data[size : size + 3] == b"\xff\xd8\xff"
    assert f'Item:Length="{behind}"'.encode() in made.data[:size]
    with Image.open(BytesIO(made.data)) as image:
        index = image._getmp()  # type: ignore[attr-defined]  # Pillow's reading of it
        assert index[0xB001] == 2
        assert [entry["Size"] for entry in index[0xB002]] == [size, behind]


@cache
def broken_maps() -> dict[str, bytes]:
    data = photo(SIZE)
    place = data.index(b"\xff\xd8\xff", 100)
    absurd = photo(SIZE, map_size=(4000, 3000))
    return {
        "cut in the map": data[: place + 900],
        "cut before it": data[:place],
        "no pixels": data[:place] + data[place:].replace(b"\xff\xda", b"\xff\xfe", 1),
        "absurdly large": absurd,
        "no figures": photo(SIZE, figures={}),
        "wrong figures": photo(SIZE, figures={**XMP_FIGURES, "GainMapMax": "much"}),
        "two figures": photo(SIZE, figures={**XMP_FIGURES, "GainMapMax": ("1", "2")}),
        "later version": photo(SIZE, kinds=("iso",), iso=b"\0\1" + ISO[2:]),
        "no denominator": photo(SIZE, kinds=("iso",), iso=ISO[:25] + bytes(4) + ISO[29:]),
        "short payload": photo(SIZE, kinds=("iso",), iso=ISO[:-1]),
        "of Apple": photo(SIZE, figures={}, apple=True),
    }


@pytest.mark.parametrize("case", broken_maps())
def test_a_map_that_cannot_be_kept_is_dropped_and_no_job_fails(case: str) -> None:
    made = crop(broken_maps()[case], size="64x", hdr="keep")
    assert NOTE in made.notes
    assert find_gain_map(made.data, LIMITS.scans) is None


def test_a_map_of_more_scans_than_an_image_may_have_is_dropped() -> None:
    data = photo(SIZE, progressive=True)
    assert NOTE not in crop(data, size="64x", hdr="keep").notes
    assert NOTE in crop(data, Limits(scans=3), size="64x", hdr="keep").notes


def test_one_denominator_for_all_figures_is_read() -> None:
    found = map_of(photo(SIZE, kinds=("iso",), iso=ISO_COMMON))
    assert found.ranges == ((-1.0, 3.0, 1.0),)
    assert iso_segment(ISO_COMMON)[4:].startswith(b"urn:iso:std:iso:ts:21496:-1\0")


def test_figures_may_be_elements_or_attributes() -> None:
    said = "".join(f"<hdrgm:{name}>{value}</hdrgm:{name}>" for name, value in XMP_FIGURES.items())
    packet = xmp.packet(xmp.description({"hdrgm": HDRGM}, said))
    assert map_of(photo(SIZE, packet=packet)).figures == map_of(photo(SIZE)).figures
    assert MAP == (160, 120)


def test_the_pixels_of_map_and_image_count_together() -> None:
    data = photo(SIZE)  # 640x480, and a map of 160x120
    both = 640 * 480 + 160 * 120
    assert NOTE not in crop(data, Limits(pixels=both), hdr="keep").notes
    assert NOTE in crop(data, Limits(pixels=both - 1), hdr="keep").notes


def test_a_progressive_map_counts_as_a_whole() -> None:
    """Its decoder holds all of it, however small it is made."""
    some = 640 // 8 * 480 // 8 + 160 * 120 - 1
    data = photo(SIZE, progressive=True)
    assert NOTE in crop(data, Limits(pixels=some), size="40x", hdr="keep").notes
    assert NOTE not in crop(photo(SIZE), Limits(pixels=some), size="40x", hdr="keep").notes


def test_a_map_is_decoded_once_for_all_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []

    def counted(data: bytes, *, shrink: int, bottom: int) -> Image.Image:
        decoded.append((shrink, bottom))
        return jpeg.decode_sound_jpeg(data, shrink=shrink, bottom=bottom)

    monkeypatch.setattr(gain_map, "decode_sound_jpeg", counted)
    entries = [{"box": f"0,{y},200,100", "hdr": "keep"} for y in (0, 100, 200)]
    made = outputs(photo(SIZE), *entries)
    assert [NOTE in one.notes for one in made] == [False] * 3
    assert decoded == [(1, 75)]


def test_figures_keep_all_their_digits() -> None:
    figures = {**XMP_FIGURES, "GainMapMax": "2.3219280948873622", "GainMapMin": "-0.0"}
    made = crop(photo(SIZE, figures=figures), size="64x", hdr="keep")
    assert dict(map_of(made.data).figures) == {name: (text,) for name, text in figures.items()}


@pytest.mark.parametrize(("flags", "kept"), [(0x00, True), (0x40, False)])
def test_the_profile_stays_if_the_map_is_applied_in_its_colours(flags: int, kept: bool) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = photo(SIZE, kinds=("iso",), iso=ISO[:4] + bytes([flags]) + ISO[5:], profile=profile)
    with Image.open(BytesIO(map_of(crop(data, size="64x", hdr="keep").data).data)) as image:
        assert image.info.get("icc_profile") == (profile if kept else None)


def test_the_image_is_converted_to_srgb_and_keeps_its_map() -> None:
    data = photo(SIZE)
    plain = BytesIO()
    with Image.open(BytesIO(data)) as image:
        image.save(plain, "JPEG", quality=95, icc_profile=P3)
    start, behind = data.index(b"\xff\xdb"), data.index(START, 100)
    other = plain.getvalue()
    wide = data[:start] + other[other.index(b"\xff\xe2") :] + data[behind:]
    made = crop(wide, size="320x", hdr="keep")
    assert "profile-converted" in made.notes
    assert NOTE not in made.notes
    assert "icc_profile" not in opened(made).info
    assert np.array_equal(
        map_pixels(made.data), map_pixels(crop(data, size="320x", hdr="keep").data)
    )


def test_a_cropped_photo_can_be_cropped_again() -> None:
    once = crop(photo(SIZE, kinds=("xmp", "iso")), size="320x", hdr="keep", quality="95")
    again = crop(once.data, box="0,0,160,120", hdr="keep")
    assert NOTE not in again.notes
    assert (map_of(again.data).width, map_of(again.data).height) == (40, 30)
    assert map_of(again.data).figures == map_of(once.data).figures


def test_apples_map_after_the_image_is_noted_and_dropped() -> None:
    """The primary image of an iPhone's JPEG says nothing of it; the index leads to it."""
    said = "<x xmlns:a='http://ns.apple.com/pixeldatainfo/1.0/'>"
    said += f"<a:AuxiliaryImageType>{APPLE_GAIN_MAP.decode()}</a:AuxiliaryImageType></x>"
    pair = BytesIO()
    images = [Image.fromarray(pictures.photo(*sides)) for sides in (SIZE, MAP)]
    images[0].save(pair, "MPO", save_all=True, append_images=images[1:])
    behind = pair.getvalue().index(b"\xff\xd8\xff", 1000)
    packet = xmp_segment(xmp.packet(xmp.description({}, said)))
    data = pair.getvalue()[: behind + 2] + packet + pair.getvalue()[behind + 2 :]
    index = data.index(b"MPF\0") + 4
    for place in range(index, index + 60):  # wherever the index is broken, the image is fine
        changed = data[:place] + b"\xff" + data[place + 1 :]
        assert probe(changed, LIMITS).width == SIZE[0]
    for params in ({}, {"hdr": "keep"}):
        made = crop(data, size="64x", **params)
        assert NOTE in made.notes
        assert b"hdrgainmap" not in made.data
    assert NOTE not in crop(pair.getvalue(), size="64x").notes


@pytest.mark.parametrize(
    ("kind", "text"), [(b"iinf", b"tmap"), (b"iprp", APPLE_GAIN_MAP)], ids=["ISO", "Apple"]
)
def test_the_map_of_an_avif_is_noted(kind: bytes, text: bytes) -> None:
    """A box `free` inside the box: where items or properties name the map."""
    plain = pictures.encode(pictures.photo(64, 48), "avif")
    assert NOTE not in probe(plain, LIMITS).dropped
    start, end = avif.inside(plain, (b"meta",))
    body = next(first for name, first, _ in avif.boxes(plain, start, end) if name == kind)
    free = struct.pack(">I4s", 8 + len(text), b"free") + text
    length = int.from_bytes(plain[body - 8 : body - 4], "big") + len(free)
    place = body - 8 + length - len(free)
    data = bytearray(plain[:place] + free + plain[place:])
    data[body - 8 : body - 4] = length.to_bytes(4, "big")
    whole = start - 12
    data[whole : whole + 4] = (end - whole + len(free)).to_bytes(4, "big")
    assert NOTE in probe(bytes(data), LIMITS).dropped


def test_libultrahdr_shows_the_crop_as_bright_as_the_photo() -> None:
    """The reference decoder's own reading of both files, in linear light.

    Encoding again costs 1 to 3 %; the map of a place 8 pixels away costs 11 to 15 %.
    """
    pyvips = pytest.importorskip("pyvips", reason="pyvips-binary has libultrahdr; not installed")

    def hdr(data: bytes) -> np.ndarray:
        return np.asarray(pyvips.Image.uhdrload_buffer(data).uhdr2scRGB().numpy())

    data = photo(SIZE, kinds=("xmp", "iso"), channels=3)
    expected = hdr(data)[80:400, 100:500]
    there, near = (
        crop(data, box=f"100,{y},400,320", hdr="keep", quality="95").data for y in (80, 88)
    )
    assert expected.max() > 1.5  # there is something brighter than white
    assert np.abs(hdr(there) - expected).mean() < 0.04 * expected.mean()
    wrong = there[: there.index(START, 100)] + near[near.index(START, 100) :]
    assert np.abs(hdr(wrong) - expected).mean() > 0.08 * expected.mean()
