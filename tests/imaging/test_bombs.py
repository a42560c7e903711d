"""Decompression bombs and other hostile images: refused within their limits."""

import contextlib
import struct
import subprocess
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cropsvc.imaging.headers.probe import probe
from cropsvc.model.errors import (
    CropError,
    TooComplex,
    TooManyPixels,
    Unreadable,
    UnsupportedFormat,
)
from tests import pictures
from tests.imaging import hostile
from tests.imaging.engine import LIMITS, crop, decoded, opened
from tests.imaging.measured import measured

MILLISECONDS = 50
MEGABYTES = 20


def refusal(data: bytes) -> CropError:
    """The error that *data* is refused with, within 50 ms and 20 MB."""
    assert quickest(data) <= MILLISECONDS
    tracemalloc.start()
    error = _refused(data)
    grown = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert grown <= MEGABYTES * 1_000_000
    return error


def quickest(data: bytes) -> float:
    """The least milliseconds of this thread's CPU that some looks at a header took."""
    least = float("inf")
    for _ in range(10):
        start = time.thread_time()
        with contextlib.suppress(CropError):
            probe(data, LIMITS)
        least = min(least, 1000 * (time.thread_time() - start))
        if least <= MILLISECONDS:
            break
    return least


def _refused(data: bytes) -> CropError:
    with pytest.raises(CropError) as raised:
        probe(data, LIMITS)
    return raised.value


# I1: a header that promises too much


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "avif", "tiff", "bmp"])
def test_too_many_pixels_are_refused_by_the_header(kind: str) -> None:
    error = refusal(hostile.resized_header(kind, 100_000, 100_000))
    assert isinstance(error, TooManyPixels)
    assert f"{400_000_000 if kind == 'jpeg' else 50_000_000:,}" in error.detail


def test_a_bomb_of_one_bit_pixels_is_refused() -> None:
    assert isinstance(refusal(pictures.bomb()), TooManyPixels)


# I2: pixels under the cap


def test_the_most_pixels_allowed_stay_within_the_memory(tmp_path: Path) -> None:
    file = tmp_path / "bomb.png"
    file.write_bytes(hostile.pixel_bomb())
    told = measured(file, size="300x300")
    assert told["outcome"] == ["done"]
    assert told["grew"] <= 3 * 7000 * 7000 * 4 + 60_000_000


# I3: scans


def test_a_scan_bomb_is_refused() -> None:
    data = hostile.scan_bomb(4000)
    assert len(data) < 200_000
    assert isinstance(refusal(data), TooComplex)


def test_a_scan_bomb_under_the_limit_is_a_picture() -> None:
    assert probe(hostile.scan_bomb(60, side=64), LIMITS).width == 64
    assert opened(crop(hostile.scan_bomb(60, side=64))).size == (64, 64)


def test_scans_of_images_after_the_first_are_not_counted() -> None:
    data = pictures.jpeg(64, 48)
    assert probe(data + hostile.scan_bomb(4000), LIMITS).width == 64
    progressive = pictures.encode(pictures.photo(64, 48), "jpeg", progressive=True)
    assert probe(progressive + hostile.scan_bomb(4000), LIMITS).width == 64


# I4: packed texts and profiles


@pytest.mark.parametrize("bomb", [hostile.text_bomb, hostile.long_text_bomb, hostile.profile_bomb])
def test_packed_texts_and_profiles_do_not_unfold(bomb: Callable[[], bytes], tmp_path: Path) -> None:
    file = tmp_path / "bomb.png"
    file.write_bytes(bomb())
    told = measured(file)
    assert told["outcome"] == ["done"]
    assert told["grew"] <= MEGABYTES * 1_000_000


# I5: frames


@pytest.mark.parametrize("bomb", ["gif-frames", "webp-frames"])
def test_too_many_frames_are_refused(bomb: str) -> None:
    assert isinstance(refusal(hostile.WALKS[bomb]()), TooComplex)


# what a reader of headers could walk for long


@pytest.mark.parametrize("walk", hostile.WALKS)
def test_no_header_takes_long(walk: str) -> None:
    assert quickest(hostile.WALKS[walk]()) <= MILLISECONDS


# I6 - I8: other formats


@pytest.mark.parametrize("kind", sorted(hostile.foreign()))
def test_other_formats_are_refused(kind: str) -> None:
    assert isinstance(refusal(hostile.foreign()[kind]), UnsupportedFormat)


def test_there_are_many_other_formats() -> None:
    assert len(hostile.foreign()) >= 15


@pytest.mark.parametrize(
    "svg",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><svg/>",
        b"\xef\xbb\xbf<svg/>",
        b"\x1f\x8b\x08\0\0\0\0\0",
    ],
)
def test_svg_is_refused(svg: bytes) -> None:
    assert isinstance(refusal(svg), UnsupportedFormat)


def test_no_interpreter_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(a))
    with pytest.raises(UnsupportedFormat):
        crop(hostile.foreign()["EPS"])
    assert started == []


# I9: cut off

CUT = {
    "jpeg": pictures.jpeg(200, 150),
    "jpeg-progressive": pictures.encode(pictures.photo(200, 150), "jpeg", progressive=True),
    "png": pictures.encode(pictures.photo(60, 40)),
    "webp": pictures.encode(pictures.photo(200, 150), "webp"),
    "webp-lossless": pictures.encode(pictures.photo(60, 40), "webp", lossless=True),
    "gif": pictures.encode(pictures.photo(60, 40), "gif"),
    "gif-moving": pictures.animation("gif", frames=5),
    "webp-moving": pictures.animation("webp", frames=5),
    "avif": pictures.encode(pictures.photo(200, 150), "avif"),
    "tiff": pictures.encode(pictures.photo(60, 40), "tiff"),
    "tiff-lzw": pictures.encode(pictures.photo(60, 40), "tiff", compression="tiff_lzw"),
    "bmp": pictures.encode(pictures.photo(60, 40), "bmp"),
}


SHOWN_IN_PART = ("jpeg", "jpeg-progressive", "png", "gif", "bmp")
ALL_BUT_END = {"jpeg": 2, "jpeg-progressive": 2, "png": 12}  # bytes of the end mark


@pytest.mark.parametrize("params", [{}, {"box": "0,0,10,1"}, {"size": "20x15"}], ids=str)
@pytest.mark.parametrize(
    "name", [name for name in CUT if name not in (*SHOWN_IN_PART, "gif-moving")]
)
def test_a_cut_image_that_browsers_do_not_show_is_refused(
    name: str, params: dict[str, str]
) -> None:
    data = CUT[name]
    for percent in range(1, 100, 3):
        with pytest.raises(CropError) as raised:
            crop(data[: len(data) * percent // 100], format="png", **params)
        assert raised.value.code in ("unreadable", "unsupported-format"), percent


@pytest.mark.parametrize("name", SHOWN_IN_PART)
def test_a_cut_image_is_cropped_from_what_is_there(name: str) -> None:
    data = CUT[name]
    whole = np.asarray(opened(crop(data, format="png")).convert("RGBA"))
    for percent in (60, 80, 95):
        part = data[: len(data) * percent // 100]
        made = crop(part, format="png")
        shown = np.asarray(opened(made).convert("RGBA"))
        assert shown.shape == whole.shape
        assert "source-truncated" in made.notes, percent
        if name not in ("jpeg-progressive", "gif"):  # these are coarse where they are cut
            known = shown[..., 3] == 255
            assert known.any()
            assert np.abs(shown[known].astype(int) - whole[known]).mean() < 1, percent
        with pytest.raises(Unreadable):
            crop(part, format="png", strict="true")


@pytest.mark.parametrize("name", ["jpeg", "jpeg-progressive", "png"])
def test_an_image_without_its_end_mark_is_complete(name: str) -> None:
    part = CUT[name][: -ALL_BUT_END[name]]
    made = crop(part, format="png", strict="true")
    assert "source-truncated" not in made.notes
    whole = np.asarray(opened(crop(CUT[name], format="png")))
    assert np.array_equal(np.asarray(opened(made)), whole)


def test_a_png_without_its_end_mark_has_all_its_pixels() -> None:
    data = CUT["png"]
    for missing in range(1, 22):
        try:
            made = crop(data[:-missing])
        except Unreadable:
            continue
        assert np.array_equal(np.asarray(opened(made)), decoded(data))


# I10, I11: broken in the middle (test_fuzz.py goes further)


@pytest.mark.parametrize("name", CUT)
def test_a_flipped_bit_raises_our_errors_only(name: str) -> None:
    random = np.random.default_rng(7)
    for _ in range(60):
        data = bytearray(CUT[name])
        data[random.integers(len(data))] ^= 1 << random.integers(8)
        with contextlib.suppress(CropError):
            crop(bytes(data), format="jpeg", size="20x15")


def test_an_apng_with_its_control_chunks_out_of_order_is_unreadable_or_shown() -> None:
    control = (b"fcTL", b"\0" * 26)
    data = hostile.png(
        hostile.ihdr(1, 1), (b"acTL", b"\0\0\0\2\0\0\0\0"), control, control, (b"IEND", b"")
    )
    with pytest.raises(Unreadable):
        crop(data)


# I12: two files in one

PAYLOADS = (b"PK\3\4evil.txt", b"<script>alert(1)</script>", b"<?php system($_GET[0]); ?>")


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"])
@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_hidden_in_a_file_comes_out(kind: str, payload: bytes) -> None:
    data = pictures.encode(pictures.photo(40, 30), kind) + payload
    if kind == "jpeg":
        comment = len(payload) + 2
        data = data[:2] + b"\xff\xfe" + comment.to_bytes(2, "big") + payload + data[2:]
    for output in ("jpeg", "png", "webp", "gif", "avif"):
        assert payload not in crop(data, format=output).data


def test_frames_beyond_the_screen_are_clipped_and_cost_nothing() -> None:
    frame = b"," + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0) + b"\2\2\x44\1\0"
    data = pictures.many_frames(3)[:-1] + frame + b";"
    found = probe(data, LIMITS)
    assert max(found.width, found.height) < 1000
    assert crop(data, format="png").data
