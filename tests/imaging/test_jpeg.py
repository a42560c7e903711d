"""JPEG photos: what turns them, what they hold besides the image, and what is missing from them.

tests/browser/test_as_shown.py compares the same files with Chromium.
"""

import numpy as np
import pytest

from cropsvc.imaging.headers.probe import probe
from cropsvc.model.errors import Unreadable
from cropsvc.model.limits import Limits
from tests.as_shown import jpegs
from tests.as_shown.jpegs import HEIGHT, WIDTH, jpeg, with_segment
from tests.imaging.engine import crop, opened

FILES = dict(jpegs.files())
XMP = b"http://ns.adobe.com/xap/1.0/\0"


@pytest.mark.parametrize(
    ("name", "turned"),
    [
        ("exif-6", True),
        ("exif-big-endian", True),
        ("exif-ff", True),
        ("exif-1", False),
        ("exif-0", False),
        ("exif-9", False),
        ("exif-byte", False),
        ("exif-long", False),
        ("exif-count-2", False),
        ("exif-twice", False),
        ("xmp-6", False),
    ],
)
def test_only_the_first_short_tag_of_count_1_turns_a_jpeg(name: str, turned: bool) -> None:
    found = probe(FILES[name], Limits())
    assert (found.width, found.height) == ((HEIGHT, WIDTH) if turned else (WIDTH, HEIGHT))


@pytest.mark.parametrize(
    ("segment", "marker", "notes"),
    [
        (XMP + b'<a hdrgm:Version="1.0"/>', 0xE1, ("gain-map-dropped",)),
        (b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0", 0xE2, ("gain-map-dropped",)),
        (XMP + b'<a GCamera:MotionPhoto="1"/>', 0xE1, ("video-dropped",)),
        (XMP + b'<a GCamera:MicroVideo="1"/>', 0xE1, ("video-dropped",)),
        (XMP + b'<a GCamera:MotionPhoto="0"/>', 0xE1, ()),
    ],
)
def test_what_a_phone_photo_holds_besides_its_image_is_noted(
    segment: bytes, marker: int, notes: tuple[str, ...]
) -> None:
    made = crop(with_segment(jpeg(), segment, marker))
    assert tuple(note for note in made.notes if note != "metadata-dropped") == notes
    assert "pages-dropped" not in made.notes


@pytest.mark.parametrize("kind", [0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF])
def test_frames_that_no_browser_decodes_are_refused_at_the_submit(kind: int) -> None:
    data = jpeg()
    place = data.index(b"\xff\xc0")
    with pytest.raises(Unreadable, match="browsers do not show"):
        probe(data[:place] + bytes((0xFF, kind)) + data[place + 2 :], Limits())


def test_12_bits_are_refused_at_the_submit() -> None:
    data = jpeg()
    place = data.index(b"\xff\xc0") + 4
    with pytest.raises(Unreadable, match="12 bits"):
        probe(data[:place] + b"\x0c" + data[place + 1 :], Limits())


@pytest.mark.parametrize("name", jpegs.KINDS)
def test_a_jpeg_without_its_end_mark_is_complete(name: str) -> None:
    whole, cut = FILES[name], FILES[name][:-2]
    made = crop(cut, format="png", strict="true")
    assert "source-truncated" not in made.notes
    assert np.array_equal(np.asarray(opened(made)), np.asarray(opened(crop(whole, format="png"))))


@pytest.mark.parametrize("name", ["420", "444", "restarts"])
def test_the_rows_of_a_cut_baseline_jpeg_are_those_of_the_whole(name: str) -> None:
    whole = np.asarray(opened(crop(FILES[name], format="png")).convert("RGB"))
    cut = np.asarray(opened(crop(FILES[f"cut-{name}-0.5"], format="png")).convert("RGBA"))
    rows = int((cut[:, 0, 3] == 255).sum())
    assert 0 < rows < HEIGHT
    assert np.array_equal(cut[:rows, :, :3], whole[:rows])
    assert not cut[rows:, :, 3].any()


@pytest.mark.parametrize("name", [n for n in FILES if n.startswith("stray-")])
def test_a_stray_marker_in_the_scan_is_no_reason_to_refuse(name: str) -> None:
    image = opened(crop(FILES[name], format="png"))
    assert image.size == (WIDTH, HEIGHT)


def test_a_jfif_segment_of_7_bytes_is_read() -> None:
    assert opened(crop(FILES["jfif-of-7"])).size == (WIDTH, HEIGHT)


def test_a_jpeg_cut_before_its_first_row_is_refused() -> None:
    data = jpeg()
    with pytest.raises(Unreadable, match="first row"):
        crop(data[: data.index(b"\xff\xda") + 20])
    with pytest.raises(Unreadable):
        probe(data[:20], Limits())


def test_the_missing_rows_of_a_cmyk_image_are_transparent() -> None:
    made = crop(FILES["cmyk-cut"], format="png", size="48x36")
    assert "source-truncated" in made.notes
    alpha = np.asarray(opened(made).getchannel("A"))
    assert (alpha[0] == 255).all()
    assert (alpha[-1] == 0).all()
    assert "alpha-flattened" in crop(FILES["cmyk-cut"]).notes
