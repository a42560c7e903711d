"""An animated PNG, written frame by frame (APNG 1.0, PNG third edition 11.3.6)."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from math import gcd
from typing import Any

from PIL import Image, ImageChops

from cropsvc.imaging.formats import Options

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LEAVE, REPLACE = 0, 0  # the frame stays; it replaces what was there
MOST_TIME = 65_535  # of numerator and denominator
METADATA = (b"iTXt", b"eXIf")
MOST_PLAYS = 2**31 - 1


class ApngWriter:
    """Collects frames in RGBA; each is written only where it differs from the one before."""

    def __init__(self, sides: tuple[int, int], level: int) -> None:
        self._sides, self._level = sides, level
        self._under: Image.Image | None = None
        self._parts: list[bytes] = []
        self._sequence = 0
        self._count = 0

    def add(self, image: Image.Image, duration: int) -> None:
        """Append a frame that is seen for *duration* milliseconds."""
        frame = image if image.mode == "RGBA" else image.convert("RGBA")
        box = (0, 0, *self._sides)
        if self._under is not None:
            changed = ImageChops.difference(frame, self._under).getbbox(alpha_only=False)
            box = changed or (0, 0, 1, 1)
        self._parts.append(self._control(box, duration))
        data = b"".join(_image_data(frame.crop(box), self._level))
        self._parts.append(_chunk(b"IDAT", data) if self._count == 0 else self._numbered(data))
        self._under = frame
        self._count += 1

    def finish(self, plays: int, kept: Options) -> bytes:
        """Return the file; *plays* is how often it is shown, 0 without end.

        *kept* is metadata as options for Pillow.
        """
        head = struct.pack(">IIBBBBB", *self._sides, 8, 6, 0, 0, 0)
        control = struct.pack(">II", self._count, min(plays, MOST_PLAYS))
        first = (SIGNATURE, _chunk(b"IHDR", head), *_metadata(kept), _chunk(b"acTL", control))
        return b"".join((*first, *self._parts, _chunk(b"IEND", b"")))

    def _control(self, box: tuple[int, int, int, int], duration: int) -> bytes:
        left, top, right, bottom = box
        sides = (right - left, bottom - top, left, top)
        body = struct.pack(">5I2H2B", self._next(), *sides, *_time(duration), LEAVE, REPLACE)
        return _chunk(b"fcTL", body)

    def _numbered(self, data: bytes) -> bytes:
        return _chunk(b"fdAT", self._next().to_bytes(4, "big") + data)

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence - 1


def _time(milliseconds: int) -> tuple[int, int]:
    """Return the seconds as a fraction of two numbers of 16 bits."""
    common = gcd(milliseconds, 1000)
    above, below = milliseconds // common, 1000 // common
    while above > MOST_TIME and below > 1:
        above, below = above // 10, max(1, below // 10)
    return min(above, MOST_TIME), below


def _image_data(image: Image.Image, level: int) -> Iterator[bytes]:
    return (body for kind, body in _chunks(image, compress_level=level) if kind == b"IDAT")


def _metadata(kept: Options) -> Iterator[bytes]:
    """Return the chunks in which Pillow writes the metadata."""
    written = _chunks(Image.new("L", (1, 1)), **kept)
    return (_chunk(kind, body) for kind, body in written if kind in METADATA)


def _chunks(image: Image.Image, **options: Any) -> Iterator[tuple[bytes, bytes]]:
    buffer = BytesIO()
    image.save(buffer, "PNG", **options)
    data, place = buffer.getvalue(), len(SIGNATURE)
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        yield kind, data[place + 8 : place + 8 + length]
        place += 12 + length


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
