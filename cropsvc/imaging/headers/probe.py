"""The header: format by content, sides as displayed, frames; limits before any decoding.

Pure Python on purpose: it runs in the web process, where a hostile file must not meet a C decoder.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from cropsvc.imaging import extras, formats
from cropsvc.imaging.headers import (
    avif,
    bmp,
    gif,
    jpeg,
    png,
    tiff,
    webp,
)
from cropsvc.imaging.headers.known_types import name_of_type
from cropsvc.imaging.headers.model import GAIN_MAP_NOTE, Header, broken
from cropsvc.model.errors import TooComplex, TooManyPixels, UnsupportedFormat
from cropsvc.model.limits import Limits

SUPPORTED = ", ".join(formats.INPUTS.values())
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ANIMATED = ("gif", "webp", "png", "avif")  # formats whose animations stay animated
MOST_FRAMES = 5_000  # that are counted; of a still output only the first is decoded


@dataclass(frozen=True)
class Source:
    """An upload's facts; width and height as displayed, that is, with the orientation applied."""

    format: str
    width: int
    height: int
    frames: int = 1  # of an animation
    orientation: int = 1  # EXIF's 1-8
    pages: int = 1  # of a TIFF
    dropped: tuple[str, ...] = ()  # notes on what else it holds, and no output keeps
    cut: bool = False  # the file ends within a frame behind the first

    @property
    def has_gain_map(self) -> bool:
        """Whether it is a photo with a map that says how much brighter an HDR screen shows it."""
        return GAIN_MAP_NOTE in self.dropped

    @property
    def animated(self) -> bool:
        """Whether every frame is used where the output can move."""
        return self.frames > 1 and self.format in ANIMATED


def probe(data: bytes, limits: Limits) -> Source:
    """Return the facts of *data*'s header, nothing decoded.

    Raises UnsupportedFormat by the first bytes, Unreadable for a broken header, TooManyPixels and
    TooComplex beyond *limits*.
    """
    read = _reader(data, limits)
    try:
        header = read(data)
    except (struct.error, IndexError, OverflowError):
        raise broken("its header is cut off") from None
    _check(header, limits)
    turned = header.orientation >= 5
    width, height = header.width, header.height
    return Source(
        header.format,
        height if turned else width,
        width if turned else height,
        header.frames,
        header.orientation,
        header.pages,
        header.dropped,
        header.cut,
    )


def check_type(head: bytes) -> None:
    """Raise UnsupportedFormat if a file that begins like this is of a type that is not read."""
    _reader(head, Limits())


def _reader(data: bytes, limits: Limits) -> Callable[[bytes], Header]:
    if data.startswith(b"\xff\xd8\xff"):
        return lambda data: jpeg.read_jpeg_header(data, limits.scans)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return png.read_png_header
    if data.startswith((b"GIF87a", b"GIF89a")):
        return lambda data: gif.read_gif_header(data, _most_frames(limits))
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return lambda data: webp.read_webp_header(data, _most_frames(limits))
    if data.startswith(TIFF_STARTS):
        return _read_tiff
    if avif.is_avif(data):
        return avif.read_avif_header
    if data.startswith(b"BM"):
        return bmp.read_bmp_header
    if avif.is_heic(data):
        if not extras.is_installed("heif"):
            raise UnsupportedFormat(
                f"HEIC files are not supported. Supported: {SUPPORTED}. {extras.cure('heif')}"
            )
        return avif.read_heic_header
    raise UnsupportedFormat(f"{_what(data)} Supported: {SUPPORTED}.")


def _read_tiff(data: bytes) -> Header:
    raw = tiff.name_of_raw(data)
    if raw:
        raise UnsupportedFormat(f"{raw} files are not supported. Supported: {SUPPORTED}.")
    return tiff.read_tiff_header(data)


def _what(data: bytes) -> str:
    name = name_of_type(data)
    if name == "empty":
        return "The file is empty."
    return f"{name} files are not supported." if name else "This file type is not supported."


def _most_frames(limits: Limits) -> int:
    return max(limits.frames, MOST_FRAMES)


def _check(header: Header, limits: Limits) -> None:
    if header.width <= 0 or header.height <= 0:
        raise broken(f"it says it is {header.width}x{header.height} pixels")
    width = max(header.width, header.canvas[0])
    height = max(header.height, header.canvas[1])
    if header.format in ANIMATED and header.frames > _most_frames(limits):
        raise TooComplex(
            f"the animation has {header.frames:,} frames; at most {_most_frames(limits):,} are "
            "allowed"
        )
    # Of a JPEG only what is decoded counts, which the requested outputs decide.
    most = limits.source_pixels if header.format == "jpeg" else limits.pixels
    if width * height > most:
        raise TooManyPixels(
            f"{width}x{height} pixels are {width * height:,} pixels; at most {most:,} are allowed"
        )
    if header.scans > limits.scans:
        raise TooComplex(f"the JPEG has {header.scans} scans; at most {limits.scans} are allowed")
