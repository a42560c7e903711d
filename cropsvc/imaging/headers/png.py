"""PNG's chunks (PNG third edition; APNG's acTL)."""

import struct
import zlib

from cropsvc.imaging.headers.model import (
    METADATA,
    SEGMENTS,
    Header,
    broken,
    xmp_orientation,
)
from cropsvc.imaging.headers.tiff import exif_orientation
from cropsvc.model.errors import TooComplex

FIRST = 8  # bytes of the signature
RAW_EXIF = b"Raw profile type exif"  # ImageMagick's way to write EXIF
XMP = b"XML:com.adobe.xmp"
BEHIND = 32_768  # chunks that are walked from the picture on: 32 MiB in pieces of 1 KiB


def read_png_header(data: bytes) -> Header:
    """The header of a PNG; an APNG's frames are counted in `frames`."""
    length, kind, width, height = struct.unpack_from(">I4sII", data, FIRST)
    if kind != b"IHDR" or length != 13:
        raise broken("the PNG does not begin with its header")
    chunks, end = _chunks_before_picture(data)
    exif = chunks.get(b"eXIf") or _exif_behind(data, end) or chunks.get(RAW_EXIF, b"")
    frames = struct.unpack_from(">I", chunks[b"acTL"])[0] if b"acTL" in chunks else 1
    orientation = exif_orientation(exif) or xmp_orientation(chunks.get(XMP, b""))
    return Header("png", width, height, orientation, max(1, frames))


def _chunks_before_picture(data: bytes) -> tuple[dict[bytes, bytes], int]:
    """The first of each kind of chunk or text that is of use, and where the picture begins."""
    chunks: dict[bytes, bytes] = {}
    place = FIRST
    for _ in range(SEGMENTS):
        length, kind = struct.unpack_from(">I4s", data, place)
        if kind in (b"IDAT", b"IEND"):
            return chunks, place
        if kind in KINDS:
            body = data[place + 8 : place + 8 + min(length, METADATA)]
            name = body.partition(b"\0")[0] if kind in TEXTS else kind
            if (name in (RAW_EXIF, XMP) or kind not in TEXTS) and name not in chunks:
                chunks[name] = TEXTS[kind](body[len(name) + 1 :]) if kind in TEXTS else body
        place += 12 + length
    raise TooComplex(f"the PNG has more than {SEGMENTS:,} chunks before its picture")


def _exif_behind(data: bytes, place: int) -> bytes:
    """The eXIf chunk between the picture and the file's end mark; what follows that is no part."""
    for _ in range(BEHIND):
        if place + 8 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, place)
        if kind == b"eXIf":
            return data[place + 8 : place + 8 + min(length, METADATA)]
        if kind == b"IEND":
            break
        place += 12 + length
    return b""


def _plain_text(body: bytes) -> bytes:
    return _hex(body)


def _packed_text(body: bytes) -> bytes:
    return _hex(_unpacked(body[1:]))


def _international_text(body: bytes) -> bytes:
    """What follows flag, method, language and translated keyword."""
    text = body[2:].split(b"\0", 2)[-1]
    return _unpacked(text) if body[:1] == b"\1" else text


TEXTS = {b"tEXt": _plain_text, b"zTXt": _packed_text, b"iTXt": _international_text}
KINDS = {b"eXIf", b"acTL", *TEXTS}


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, METADATA)
    except zlib.error:
        return b""


def _hex(text: bytes) -> bytes:
    """The bytes of `\\nexif\\n   length\\nhex...`."""
    try:
        return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii"))
    except ValueError:
        return b""
