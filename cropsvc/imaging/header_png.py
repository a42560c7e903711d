"""PNG's chunks (PNG third edition; APNG's acTL)."""

import re
import struct
import zlib

from cropsvc.errors import TooComplex
from cropsvc.imaging.header import SEGMENTS, Header, broken, xmp_orientation
from cropsvc.imaging.header_tiff import exif_orientation

FIRST = 8  # bytes of the signature
TEXT_LIMIT = 1024 * 1024  # bytes of one text chunk, unpacked: as Pillow's
RAW_EXIF = b"Raw profile type exif"  # ImageMagick's way to write EXIF
XMP = b"XML:com.adobe.xmp"


def read(data: bytes) -> Header:
    """The header of a PNG; an APNG's frames are counted in `frames`."""
    length, kind, width, height = struct.unpack_from(">I4sII", data, FIRST)
    if kind != b"IHDR" or length != 13:
        raise broken("the PNG does not begin with its header")
    chunks, end = _chunks_before_picture(data)
    exif = chunks.get(b"eXIf", b"") or _exif_behind(data, end) or chunks.get(RAW_EXIF, b"")
    frames = struct.unpack_from(">I", chunks[b"acTL"])[0] if b"acTL" in chunks else 1
    orientation = exif_orientation(exif) or xmp_orientation(chunks.get(XMP, b""))
    return Header("png", width, height, orientation, max(1, frames))


def _chunks_before_picture(data: bytes) -> tuple[dict[bytes, bytes], int]:
    chunks: dict[bytes, bytes] = {}
    place = FIRST
    for _ in range(SEGMENTS):
        length, kind = struct.unpack_from(">I4s", data, place)
        if kind in (b"IDAT", b"IEND"):
            return chunks, place
        body = data[place + 8 : place + 8 + length]
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            kind, body = _text(kind, body)
        chunks.setdefault(kind, body)
        place += 12 + length
    raise TooComplex(f"the PNG has more than {SEGMENTS:,} chunks before its picture")


def _exif_behind(data: bytes, start: int) -> bytes:
    """The eXIf chunk after the picture, found by its name and checked by its sum."""
    for match in re.finditer(b"eXIf", data[start:]):
        place = start + match.start()
        length = struct.unpack_from(">I", data, place - 4)[0]
        end = place + 4 + length
        if data[end : end + 4] == zlib.crc32(data[place:end]).to_bytes(4, "big"):
            return data[place + 4 : end]
    return b""


def _text(kind: bytes, body: bytes) -> tuple[bytes, bytes]:
    """A text chunk's keyword and text, where it is one that may tell an orientation."""
    keyword, _, rest = body.partition(b"\0")
    if keyword == RAW_EXIF and kind in (b"tEXt", b"zTXt"):
        text = _unpacked(rest[1:]) if kind == b"zTXt" else rest
        return RAW_EXIF, _hex(text)
    if keyword == XMP and kind == b"iTXt":
        packed = rest[:1] == b"\1"
        text = rest[2:].split(b"\0", 2)[-1]
        return XMP, _unpacked(text) if packed else text
    return kind, b""


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, TEXT_LIMIT)
    except zlib.error:
        return b""


def _hex(text: bytes) -> bytes:
    """The bytes of `\\nexif\\n   length\\nhex...`."""
    try:
        return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii"))
    except ValueError:
        return b""
