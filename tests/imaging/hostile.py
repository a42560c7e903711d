"""Files made to hurt: large by their header, slow, deep, or of another kind."""

import io
import struct
import warnings
import zlib
from functools import cache

from PIL import Image

from tests import pictures

PICTURE = Image.fromarray(pictures.photo(64, 48))


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks, with right sums."""
    packed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def ihdr(width: int, height: int, depth: int = 8, color: int = 2) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)


def resized_header(kind: str, width: int, height: int) -> bytes:
    """A small file whose header says it is this large."""
    data = bytearray(pictures.save(PICTURE, kind))
    if kind == "png":
        return png(ihdr(width, height), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b""))
    if kind == "gif":
        data[6:10] = struct.pack("<HH", min(width, 65_535), min(height, 65_535))
    elif kind == "bmp":
        data[18:26] = struct.pack("<ii", width, height)
    elif kind == "jpeg":
        place = data.index(b"\xff\xc0") + 5
        data[place : place + 4] = struct.pack(">HH", min(height, 65_500), min(width, 65_500))
    elif kind == "webp":
        data = bytearray(pictures.save(PICTURE, "webp", exif=b"Exif\0\0II*\0"))
        data[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    elif kind == "avif":
        place = data.index(b"ispe") + 8
        data[place : place + 8] = struct.pack(">II", width, height)
    elif kind == "tiff":
        for tag, side in ((256, width), (257, height)):
            place = max(data.find(struct.pack("<HH", tag, kind)) for kind in (3, 4))
            data[place : place + 12] = struct.pack("<HHII", tag, 4, 1, side)
    return bytes(data)


def scan_bomb(scans: int, side: int = 3200) -> bytes:
    """A progressive JPEG of this many empty scans: 27 bytes each, each as dear as a whole pass."""
    head = bytearray(pictures.save(Image.new("L", (16, 16)), "jpeg", progressive=True))
    frame = head.index(b"\xff\xc2")
    head[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    first = head.index(b"\xff\xda")
    # one AC table whose only code, 0, is EOB14: a run of blocks without anything in them
    table = b"\xff\xc4" + struct.pack(">H", 2 + 17 + 1) + b"\x10" + b"\1" + b"\0" * 15 + b"\xe0"
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\1\1\0\1\x3f\0"
    blocks = (side // 8) ** 2
    runs = -(-blocks // 16384)
    bits = "".join("0" + "0" * 14 for _ in range(runs))
    bits += "1" * (-len(bits) % 8)
    coded = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    return bytes(head[:first]) + table + (scan + coded) * scans + b"\xff\xd9"


def text_bomb(count: int = 80) -> bytes:
    """A PNG with this many packed texts of a megabyte each."""
    body = b"Comment\0\0" + zlib.compress(b"\0" * 1_000_000, 9)
    return png(
        ihdr(1, 1), *[(b"zTXt", body)] * count, (b"IDAT", zlib.compress(b"\0" * 4)), (b"IEND", b"")
    )


def exif_text_bomb(count: int = 4000) -> bytes:
    """The same in the texts that an orientation is looked for in."""
    raw = b"Raw profile type exif\0\0" + zlib.compress(b"\0" * 1_000_000, 9)
    xmp = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"\0" * 1_000_000, 9)
    chunks = [(b"zTXt", raw), (b"iTXt", xmp)] * (count // 2)
    return png(ihdr(1, 1), *chunks, (b"IDAT", zlib.compress(b"\0" * 4)), (b"IEND", b""))


def profile_bomb() -> bytes:
    """A PNG whose packed profile is 256 MB."""
    packer = zlib.compressobj(9)
    body = b"p\0\0" + b"".join(packer.compress(b"\0" * 2**20) for _ in range(256)) + packer.flush()
    return png(ihdr(1, 1), (b"iCCP", body), (b"IDAT", zlib.compress(b"\0" * 4)), (b"IEND", b""))


def long_text_bomb() -> bytes:
    """A PNG with texts of 1.2 GB each, before its picture and behind it; 2.4 MB in all."""
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(b"\0" * 2**20) for _ in range(1200)) + packer.flush()
    return png(
        ihdr(1, 1),
        (b"zTXt", b"Comment\0\0" + body),
        (b"IDAT", zlib.compress(b"\0" * 4)),
        (b"iTXt", b"Comment\0\1\0\0\0" + body),
        (b"IEND", b""),
    )


def pixel_bomb(side: int = 7000) -> bytes:
    """A small PNG of 49 million RGBA pixels."""
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + 4 * side)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return png(ihdr(side, side, color=6), (b"IDAT", body), (b"IEND", b""))


def many_frames_webp(count: int) -> bytes:
    """A WebP that lists this many frames, all the same few bytes."""
    still = pictures.save(Image.new("RGB", (1, 1)), "webp", lossless=True)[12:]
    frame = b"\0" * 12 + b"\1\0\0\0" + still
    body = b"VP8X\x0a\0\0\0\2\0\0\0" + b"\0" * 6 + b"ANIM\6\0\0\0\0\0\0\0\0\0"
    body += (b"ANMF" + struct.pack("<I", len(frame)) + frame) * count
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


GIF = b"GIF89a\1\0\1\0\0\0\0"
GIF_FRAME = b"," + b"\0" * 9 + b"\2"
WEBP = b"RIFF" + struct.pack("<I", 32_000_000) + b"WEBPVP8X\x0a\0\0\0" + b"\0" * 10
IDAT = b"\0\0\0\0IDAT\0\0\0\0"
EXIF_SEGMENT = b"\xff\xe1\xff\xffExif\0\0II*\0" + b"\0" * 65_523

WALKS = {  # what a header's reader could walk for long
    "jpeg-segments": lambda: b"\xff\xd8" + b"\xff\xfe\0\2" * 8_000_000,
    "jpeg-fill": lambda: b"\xff\xd8" + b"\xff" * 32_000_000,
    "jpeg-fill-after": lambda: _jpeg_tail(b"\xff\xda\0\2" * 60 + b"\xff" * 6_000_000),
    "jpeg-junk": lambda: b"\xff\xd8\xff" + b"\0" * 32_000_000,
    "jpeg-restarts": lambda: _jpeg_tail(b"\xff\xd0" * 4_000_000),
    "jpeg-after": lambda: _jpeg_tail(b"\xff\xda\0\2" * 70 + b"\xff\xfe\0\2" * 4_000_000),
    "jpeg-exif": lambda: b"\xff\xd8" + EXIF_SEGMENT * 480,
    "png-chunks": lambda: png(ihdr(1, 1)) + b"\0\0\0\0eXXt\0\0\0\0" * 2_600_000,
    "png-exif": lambda: png(ihdr(1, 1)) + IDAT + b"\0\x0f\xff\xffeXIf" * 4_000_000,
    "png-pieces": lambda: png(ihdr(1, 1)) + IDAT * 2_600_000,
    "png-texts": exif_text_bomb,
    "gif-blocks": lambda: GIF + GIF_FRAME + b"\1\1" * 15_000_000,
    "gif-extensions": lambda: GIF + b"!\xfe\0" * 10_000_000,
    "gif-zeros": lambda: GIF + b"\0" * 32_000_000,
    "gif-frames": lambda: pictures.many_frames(1_000_000),
    "webp-chunks": lambda: WEBP + b"ABCD\0\0\0\0" * 4_000_000,
    "webp-frames": lambda: many_frames_webp(200_000),
    "tiff-pages": lambda: _tiff_pages(),
    "avif-boxes": lambda: b"\0\0\0\x18ftypavif\0\0\0\0avifmif1" + b"\0\0\0\x08free" * 4_000_000,
}


def _jpeg_tail(tail: bytes) -> bytes:
    data = pictures.save(Image.new("L", (16, 16)), "jpeg", progressive=True)
    return data[: data.index(b"\xff\xda")] + b"\xff\xda\0\2" + tail


def _tiff_pages() -> bytes:
    """4,096 overlapping directories of 4,096 entries each."""
    data = bytearray(b"II*\0\x08\0\0\0" + b"\0\x10" * 60_000)
    entry = struct.pack("<H", 4096)
    for index in range(4096):
        place = 8 + 6 * index
        data[place : place + 2] = entry
        end = place + 2 + 4096 * 12
        if end + 4 <= len(data):
            data[end : end + 4] = struct.pack("<I", place + 6)
    return bytes(data)


@cache
def foreign() -> dict[str, bytes]:
    """A file of every other format that this Pillow can write."""
    Image.init()
    made = {}
    ours = {"JPEG", "MPO", "PNG", "WEBP", "GIF", "AVIF", "TIFF", "BMP"}
    for kind in sorted(set(Image.SAVE) | set(Image.SAVE_ALL)):
        for mode in ("RGB", "L", "1", "P"):
            out = io.BytesIO()
            try:
                with warnings.catch_warnings(action="ignore"):
                    PICTURE.convert(mode).save(out, kind)
            except (OSError, ValueError, KeyError):
                continue
            if kind not in ours and out.getvalue():
                made[kind] = out.getvalue()
            break
    return made
