"""PNG's chunks (PNG third edition; APNG's acTL)."""

import struct
import zlib

from cropsvc.imaging.headers.model import METADATA, SEGMENTS, Header, broken
from cropsvc.imaging.headers.tiff import exif_orientation
from cropsvc.model.errors import TooComplex

FIRST = 8  # bytes of the signature
KINDS = (b"eXIf", b"acTL")
PIXELS = (b"IDAT", b"fdAT")
KNOWN = (b"IHDR", b"PLTE")  # critical chunks before the pixels
MOST_CHUNKS = 100_000  # that are walked to count the frames of an animation
CRITICAL_BELOW = ord("a")  # a chunk whose first letter is a capital must be understood


def read_png_header(data: bytes) -> Header:
    """Return the header of a PNG; an APNG's frames are counted in `frames`.

    The orientation comes from a sound eXIf chunk before the pixels, as Chromium takes it.
    """
    length, kind, width, height = struct.unpack_from(">I4sII", data, FIRST)
    if kind != b"IHDR" or length != 13:
        raise broken("the PNG does not begin with its header")
    chunks = _chunks_before_pixels(data)
    actl = chunks.get(b"acTL", b"")
    stated = struct.unpack_from(">I", actl)[0] if len(actl) >= 8 else 1
    found = _frames(data) if stated > 1 else 1
    orientation = exif_orientation(chunks.get(b"eXIf", b"")) or 1
    frames = max(1, min(stated, found))
    return Header("png", width, height, orientation, frames, cut=0 < found < stated)


def _frames(data: bytes) -> int:
    """Return how many whole frames an animation has, whatever it states; it may be cut off."""
    count, place, awaited = 0, FIRST, False
    for _ in range(MOST_CHUNKS):
        if place + 12 > len(data):
            return count
        length, kind = struct.unpack_from(">I4s", data, place)
        place += 12 + length
        if kind == b"fcTL":
            awaited = True
        elif kind in PIXELS and place > len(data):
            return count if awaited else max(0, count - 1)  # of the frame before, or its own
        elif kind in PIXELS and awaited:
            count, awaited = count + 1, False
    raise TooComplex(f"the PNG has more than {MOST_CHUNKS:,} chunks")


def _chunks_before_pixels(data: bytes) -> dict[bytes, bytes]:
    """Return the first sound chunk of each kind that is of use."""
    chunks: dict[bytes, bytes] = {}
    place = FIRST
    for _ in range(SEGMENTS):
        length, kind = struct.unpack_from(">I4s", data, place)
        if kind in (b"IDAT", b"IEND"):
            return chunks
        if kind in KINDS and kind not in chunks and length <= METADATA:
            body, check = data[place + 8 : place + 8 + length], data[place + 8 + length :][:4]
            if zlib.crc32(kind + body).to_bytes(4, "big") == check:
                chunks[kind] = body
        if kind[0] < CRITICAL_BELOW and kind not in KNOWN:
            raise broken(f"the PNG needs a chunk {kind!r}, which no browser knows")
        place += 12 + length
    raise TooComplex(f"the PNG has more than {SEGMENTS:,} chunks before its pixels")
