"""WebP's RIFF chunks (RFC 9649)."""

import struct

from cropsvc.imaging.headers.model import (
    METADATA,
    SEGMENTS,
    Header,
    broken,
)
from cropsvc.imaging.headers.tiff import exif_orientation
from cropsvc.model.errors import TooComplex

FIRST = 12  # bytes before the first chunk
ANIMATION = 0x02  # a flag of VP8X


def read_webp_header(data: bytes, max_frames: int) -> Header:
    """Return the header of a WebP. Raises TooComplex above *max_frames*."""
    width, height = _sides(data)
    chunks, frames = _chunks(data, max_frames) if data[12:16] == b"VP8X" else ({}, 0)
    orientation = exif_orientation(chunks.get(b"EXIF", b"")) or 1
    return Header("webp", width, height, orientation, max(1, frames))


def is_webp_animation(data: bytes) -> bool:
    """Return whether the file says that it is an animation, even with one frame."""
    return data[12:16] == b"VP8X" and bool(data[20] & ANIMATION)


def _sides(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        packed = int.from_bytes(data[24:30], "little")
        return (packed & 0xFFFFFF) + 1, (packed >> 24) + 1
    if kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, 21)
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise broken(f"the WebP begins with {kind!r}")


def _chunks(data: bytes, max_frames: int) -> tuple[dict[bytes, bytes], int]:
    chunks: dict[bytes, bytes] = {}
    frames = 0
    place, end = FIRST, min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    for _ in range(SEGMENTS + max_frames):
        if place + 8 > end:
            return chunks, frames
        kind, length = struct.unpack_from("<4sI", data, place)
        frames += kind == b"ANMF"
        if frames > max_frames:
            raise TooComplex(f"the WebP has more than {max_frames} frames, the most allowed")
        if kind == b"EXIF":
            chunks.setdefault(kind, data[place + 8 : place + 8 + min(length, METADATA)])
        place += 8 + length + (length & 1)
    raise TooComplex(f"the WebP has more than {SEGMENTS:,} chunks")
