"""The header's facts, without decoding."""

import io
import struct
import time

import pytest
from PIL import Image

from cropsvc.imaging import extras
from cropsvc.imaging.geometry.validate import check
from cropsvc.imaging.headers.probe import Source, probe
from cropsvc.imaging.params.parser import parse
from cropsvc.model.errors import TooComplex, TooManyPixels, Unreadable, UnsupportedFormat
from cropsvc.model.limits import Limits
from tests import pictures

LIMITS = Limits()


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "avif", "tiff", "bmp"])
def test_format_and_sides_are_found_by_content(kind: str) -> None:
    data = pictures.encode(pictures.photo(61, 43), kind)
    assert probe(data, LIMITS) == Source(kind, 61, 43)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "avif", "tiff", "bmp"])
def test_bytes_after_the_end_change_nothing(kind: str) -> None:
    data = pictures.encode(pictures.photo(61, 43), kind)
    assert probe(data + b"\xff\xda\xff\xd9trailing" * 100, LIMITS) == Source(kind, 61, 43)


def test_a_lossless_webp_and_an_extended_one_are_read() -> None:
    picture = Image.fromarray(pictures.photo(61, 43))
    for options in ({"lossless": True}, {"exif": b"Exif\0\0" + b"II*\0"}, {"icc_profile": b"x"}):
        assert probe(pictures.save(picture, "webp", **options), LIMITS).width == 61


@pytest.mark.parametrize(
    "options", [{"big_tiff": True}, {"compression": "tiff_lzw"}, {"compression": "jpeg"}]
)
def test_tiffs_of_all_kinds_are_read(options: dict[str, object]) -> None:
    data = pictures.encode(pictures.photo(61, 43), "tiff", **options)
    assert probe(data, LIMITS) == Source("tiff", 61, 43)


def test_pages_and_frames_are_counted() -> None:
    frames = [Image.new("RGB", (8, 6), (i * 20, 0, 0)) for i in range(5)]
    more = {"save_all": True, "append_images": frames[1:]}
    assert probe(pictures.save(frames[0], "tiff", **more), LIMITS).pages == 5
    assert probe(pictures.save(frames[0], "mpo", **more), LIMITS) == Source("jpeg", 8, 6)
    for kind in ("gif", "webp", "png"):
        assert probe(pictures.save(frames[0], kind, **more), LIMITS).frames == 5
    assert probe(pictures.save(frames[0], "avif", **more), LIMITS).frames > 1


def test_a_gif_is_as_large_as_its_first_frame_needs() -> None:
    data = bytearray(pictures.encode(pictures.photo(20, 10), "gif"))
    data[6:10] = struct.pack("<HH", 0, 0)
    source = probe(bytes(data), LIMITS)
    with Image.open(io.BytesIO(data)) as image:
        assert (source.width, source.height) == image.size == (20, 10)


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"GIF", b"hello, world", b"<svg xmlns='http://www.w3.org/2000/svg'/>",
     b"%PDF-1.7", b"%!PS-Adobe-3.0 EPSF-3.0", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
     b"\0\0\0\x0cjP  \r\n\x87\n", b"8BPS\0\1", b"P6 1 1 255 abc", b"RIFF\0\0\0\0WAVE"],
)  # fmt: skip
def test_other_first_bytes_are_unsupported(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "is_installed", lambda extra: False)
    with pytest.raises(UnsupportedFormat):
        probe(data, LIMITS)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "avif", "tiff", "bmp"])
def test_the_right_first_bytes_and_nothing_more_are_unreadable(kind: str) -> None:
    data = pictures.encode(pictures.photo(61, 43), kind)
    start = 28 if kind == "avif" else 16 if kind in ("webp", "png") else 12
    with pytest.raises(Unreadable):
        probe(data[:start], LIMITS)


def test_pixels_are_counted_over_all_frames_where_they_are_used() -> None:
    data = pictures.animation("gif", frames=10, size=(40, 30))
    for limits in (Limits(pixels=12_000), Limits(pixels=11_999)):
        assert probe(data, limits).frames == 10
    with pytest.raises(TooManyPixels, match="10 frames are 12,000 pixels; at most 11,999"):
        check(parse([]), probe(data, limits), limits)
    with pytest.raises(TooManyPixels, match="1,200 pixels; at most 1,199"):
        probe(data, Limits(pixels=1_199))


def test_frames_and_scans_have_their_own_messages() -> None:
    limits = Limits(frames=9)
    with pytest.raises(TooComplex, match="10 frames; at most 9 are allowed"):
        check(parse([]), probe(pictures.animation("webp", frames=10), limits), limits)
    progressive = pictures.encode(pictures.photo(64, 64), "jpeg", progressive=True)
    assert probe(progressive, Limits(scans=10)).width == 64
    with pytest.raises(TooComplex, match="scans"):
        probe(progressive, Limits(scans=9))


def test_a_camera_jpeg_takes_less_than_a_millisecond() -> None:
    data = pictures.encode(pictures.photo(2000, 1500), "jpeg", quality=95)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        probe(data, LIMITS)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.001
