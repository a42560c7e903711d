"""PNG files as browsers read them, made of what they hold: damage outside the pixels is left out.

Pillow refuses a file for a wrong checksum or a short chunk that no browser minds. So it gets a
new file, of the chunks that the pixels need. Texts, EXIF and profiles are taken out on the way.
"""

import struct
import zlib
from dataclasses import dataclass

from cropsvc.imaging.headers.model import broken

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"\0\0\0\0IEND\xaeB`\x82"
BEFORE_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"acTL")
FRAMES = (b"fcTL", b"fdAT")
METADATA = (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME")
INDEXED = 3  # a colour type
LEAST_KEY = {0: 2, 2: 6, 3: 1}  # bytes of a transparent colour, by colour type
MOST_PROFILE = 8 * 1024 * 1024  # bytes; the profiles of printing presses have up to 4 MB
CHUNKS = 150_000  # 32 MiB in pieces of 224 bytes


@dataclass(frozen=True)
class PngParts:
    """What a PNG holds."""

    data: bytes  # a file of the chunks that the pixels need
    profile: bytes | None
    has_metadata: bool


def parts_of(data: bytes, *, moves: bool = False) -> PngParts:
    """Return the parts; *moves*: with the frames of an animation. No pixel is looked at.

    Raises Unreadable where a chunk that the pixels need is damaged, as browsers refuse it.
    """
    parts = _Parts(moves)
    place = len(SIGNATURE)
    for _ in range(CHUNKS):
        if place + 8 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, place)
        if kind == b"IEND":
            parts.changed = parts.changed or length != 0
            break
        parts.take(kind, data, place, length)
        place += 12 + length
    whole = data if not parts.changed else b"".join((*parts.kept, END))
    return PngParts(whole, parts.profile, parts.has_metadata)


class _Parts:
    """Collects the chunks in their order."""

    def __init__(self, moves: bool) -> None:
        self.kept: list[bytes | memoryview] = [SIGNATURE]
        self.profile: bytes | None = None
        self.has_metadata = False
        self.changed = False  # whether the file differs from its parts; a large one is not copied
        self.ended = False  # whether another chunk has followed the pixels
        self._moves = moves
        self._last = memoryview(b"")
        self._begun = False
        self._bits = self._color_type = self._colors = 0

    def take(self, kind: bytes, data: bytes, place: int, length: int) -> None:
        """Keep or note one chunk."""
        kept = len(self.kept)
        self._take(kind, data, place, length)
        is_same = len(self.kept) > kept and self.kept[-1] is self._last
        self.changed = self.changed or not is_same

    def _take(self, kind: bytes, data: bytes, place: int, length: int) -> None:
        whole = self._last = memoryview(data)[place : place + 12 + length]
        if kind == b"IDAT":
            if self.ended:
                raise broken("the PNG's pixels are interrupted by another chunk")
            self._begun = True
            self.kept.append(whole if len(whole) == 12 + length else _cut(whole))
            return
        self.has_metadata = self.has_metadata or kind in METADATA
        self.ended = self._begun
        if self._moves and kind in FRAMES:
            self.kept.append(whole if len(whole) == 12 + length else _cut(whole))
        if self._begun or len(whole) != 12 + length:
            return
        sound = zlib.crc32(whole[4:-4]).to_bytes(4, "big") == whole[-4:]
        if kind in BEFORE_PIXELS:
            self._keep(kind, whole, sound=sound)
        elif kind == b"iCCP" and sound and self.profile is None:
            self.profile = _unpacked_profile(bytes(whole[8:-4]))

    def _keep(self, kind: bytes, whole: memoryview, *, sound: bool) -> None:
        if kind == b"IHDR":
            self._bits, self._color_type = whole[8 + 8], whole[8 + 9]
        if sound and kind == b"PLTE":
            self._colors = (len(whole) - 12) // 3
            self.kept.append(_full_palette(bytes(whole[8:-4])))
        elif sound and kind == b"tRNS" and self._color_type == INDEXED:
            self.kept.append(_full_alphas(bytes(whole[8:-4]), self._colors))
        elif sound and kind == b"tRNS":
            self._keep_key(whole)
        elif sound:
            self.kept.append(whole)
        elif kind in (b"IHDR", b"PLTE"):
            raise broken(f"the PNG's {kind.decode()} chunk is damaged")

    def _keep_key(self, whole: memoryview) -> None:
        """Keep a transparent colour, where there is all of it and pixels can have it."""
        least = LEAST_KEY.get(self._color_type)
        if least is None:
            self.kept.append(whole)
            return
        body = bytes(whole[8 : 8 + least])
        key = _possible_key(body, self._bits) if len(whole) - 12 >= least else None
        if key == bytes(whole[8:-4]):
            self.kept.append(whole)
        elif key is not None:
            self.kept.append(_chunk(b"tRNS", key))


def _possible_key(body: bytes, bits: int) -> bytes | None:
    """Return a transparent colour by its low bytes, as Chromium; None where no pixel can have it.

    Pillow takes the lowest bits, and a sample of 1 bit for white if it is not 0.
    """
    if bits == 16 or max(body[1::2]) >= 1 << bits:
        return body if bits == 16 else None
    return b"".join(bytes((0, low)) for low in body[1::2])


def _chunk(kind: bytes, body: bytes) -> bytes:
    chunk = kind + body
    return len(body).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")


def _full_palette(body: bytes) -> bytes:
    """Return a palette of 256 colours: an index beyond its end shows its last one."""
    return _chunk(b"PLTE", (body + body[-3:] * 256)[:768])


def _full_alphas(body: bytes, colors: int) -> bytes:
    """Return the alphas of 256 colours: an index beyond the palette has that of its last one."""
    alphas = (body + b"\xff" * 256)[: max(1, min(colors, 256))]
    return _chunk(b"tRNS", alphas + alphas[-1:] * (256 - len(alphas)))


def _cut(whole: memoryview) -> bytes:
    """Return a chunk that the end of the file cut off, with a length that is right."""
    body = bytes(whole[8:])
    return struct.pack(">I4s", len(body), bytes(whole[4:8])) + body + bytes(4)


def _unpacked_profile(body: bytes) -> bytes | None:
    """Return the ICC profile, None where it cannot be unpacked or is beyond all bounds."""
    name, _, rest = body.partition(b"\0")
    if not 0 < len(name) < 80 or rest[:1] != b"\0":
        return None
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(rest[1:], MOST_PROFILE)
    except zlib.error:
        return None
    return profile if unpacker.eof else None
