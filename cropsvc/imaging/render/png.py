"""PNG's pixels as Chromium 156 shows them, those of damaged and cut files too."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import cast

from PIL import Image, ImageChops, PngImagePlugin

from cropsvc.imaging.headers.model import broken
from cropsvc.imaging.render.color import scalable
from cropsvc.imaging.render.metadata import TRUNCATED
from cropsvc.imaging.render.png_repair import END, SIGNATURE, parts_of

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by colour type
PASSES = (  # Adam7: first column and row, steps between them
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
BLOCKS = ((8, 8), (4, 8), (4, 4), (2, 4), (2, 2), (1, 2), (1, 1))  # known after each pass
PIECE = 4096  # bytes that are unpacked at once
FILTERS = 4  # the highest number of one; a row with a higher one ends the image


def decode_png(data: bytes) -> Image.Image:
    """Return the first frame; `info` says whether rows are missing, which are transparent.

    Raises Unreadable, or whatever Pillow raises, where browsers show nothing.
    """
    parts = parts_of(data)
    image = _loaded(parts.data) if b"acTL" not in data[:4096] else _first_frame(data)
    if parts.profile:
        image.info["icc_profile"] = parts.profile
    if parts.has_metadata:
        image.info["text"] = True
    return image


def _first_frame(data: bytes) -> Image.Image:
    """Return an animation's first frame; an image before it is not shown where animations are."""
    parts = parts_of(data, moves=True)
    with Image.open(BytesIO(parts.data), formats=["PNG"]) as opened:
        if not opened.info.get("default_image"):
            return _loaded(parts_of(data).data)
        opened.seek(1)
        opened.load()
        return opened.copy()


def _loaded(data: bytes) -> Image.Image:
    try:
        image = _opened(data)
        image.load()
    except (OSError, SyntaxError, zlib.error, struct.error, ValueError):
        return _completed(data)
    if _ends_in_zeros(image):  # or its pixels end early, which Pillow does not say
        return _completed(data, image)
    return _with_exact_key(image, data)


def _ends_in_zeros(image: Image.Image) -> bool:
    last = image.crop((0, image.height - 1, image.width, image.height))
    return not last.getbbox(alpha_only=False)


def _opened(data: bytes) -> PngImagePlugin.PngImageFile:
    return cast("PngImagePlugin.PngImageFile", Image.open(BytesIO(data), formats=["PNG"]))


def _with_exact_key(image: Image.Image, data: bytes) -> Image.Image:
    """Make only the exact colour transparent in 16 bits, of which Pillow keeps the high byte."""
    key = image.info.get("transparency")
    bits, kind = data[24], data[25]
    if bits != 16 or kind != 2 or not isinstance(key, tuple):
        return image
    low = _opened(data)
    tile = low.tile[0]
    low.tile = [type(tile)(*tile[:3], "RGB;16L")]  # the same samples, the low byte of each
    low.load()
    stored = struct.unpack_from(">3H", data, data.index(b"tRNS") + 4)
    unlike = [
        _unlike(channel, value)
        for half, shift in ((image, 8), (low, 0))
        for channel, value in zip(half.split(), (v >> shift & 255 for v in stored), strict=True)
    ]
    alpha = unlike[0]
    for other in unlike[1:]:
        alpha = ImageChops.lighter(alpha, other)
    image.info.pop("transparency")
    image.putalpha(alpha)
    return image


def _unlike(channel: Image.Image, value: int) -> Image.Image:
    return channel.point([0 if index == value else 255 for index in range(256)])


def _completed(data: bytes, loaded: Image.Image | None = None) -> Image.Image:
    """Return what can be read of a cut or damaged image; missing rows are transparent.

    *loaded* is what Pillow made of it, to be returned if nothing is missing.
    """
    width, height, bits, kind, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    passes = _passes(width, height, bits * SAMPLES.get(kind, 1), interlaced=bool(interlaced))
    size = sum((stride + 1) * count for stride, count in passes)
    stored = bytearray(_unpacked(data, size))
    rows = _whole_rows(stored, passes)
    if not rows:
        raise broken("the PNG ends before its first row of pixels")
    used = _place(passes, rows)
    if size == used and loaded is not None:
        return _with_exact_key(loaded, data)
    filled = bytes(stored[:used]) + bytes(size - used)
    image = _opened(_with_pixels(data, filled))
    image.load()
    if size == used:
        return image
    shown = scalable(image)  # 16 bits of grey become 8
    shown = shown.convert("LA" if shown.mode in ("L", "LA") else "RGBA")  # as its profile expects
    shown.info[TRUNCATED] = True
    if interlaced:
        return _coarse(shown, rows, passes)
    shown.paste((0,) * len(shown.getbands()), (0, rows, width, height))
    return shown


def _unpacked(data: bytes, most: int) -> bytes:
    """Return what can be unpacked of the pixels, up to the first fault, at most *most* bytes."""
    unpacker = zlib.decompressobj()
    found: list[bytes] = []
    length = 0
    for body in _pixel_chunks(data):
        for start in range(0, len(body), PIECE):
            piece, before = body[start : start + PIECE], unpacker.copy()
            try:
                found.append(unpacker.decompress(piece, most - length))
            except zlib.error:  # what precedes a fault in a piece is lost
                return b"".join([*found, _bytewise(before, piece)])
            length += len(found[-1])
            if length >= most:
                return b"".join(found)
    return b"".join(found)


def _bytewise(unpacker: "zlib._Decompress", piece: bytes) -> bytes:
    """Return what can be unpacked of a piece, read byte by byte to the very fault."""
    found = []
    try:
        for byte in piece:
            found.append(unpacker.decompress(bytes((byte,))))
    except zlib.error:
        return b"".join(found)
    return b"".join(found)


def _pixel_chunks(data: bytes) -> Iterator[bytes]:
    place = len(SIGNATURE)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        if kind == b"IDAT":
            yield data[place + 8 : place + 8 + length]
        place += 12 + length


def _passes(width: int, height: int, bits: int, *, interlaced: bool) -> list[tuple[int, int]]:
    """Return the bytes of a row, without its filter, and the number of rows, of each pass."""
    if not interlaced:
        return [((width * bits + 7) // 8, height)]
    sizes = [
        (max(0, -(-(width - x) // dx)), max(0, -(-(height - y) // dy))) for x, y, dx, dy in PASSES
    ]
    return [((w * bits + 7) // 8, h) if w and h else (-1, 0) for w, h in sizes]


def _whole_rows(stored: bytearray, passes: list[tuple[int, int]]) -> int:
    """Return how many rows are there, with a filter that exists, over all passes."""
    rows = place = 0
    for stride, count in passes:
        for _ in range(count):
            if place + stride + 1 > len(stored) or stored[place] > FILTERS:
                return rows
            place += stride + 1
            rows += 1
    return rows


def _place(passes: list[tuple[int, int]], rows: int) -> int:
    place = 0
    for stride, count in passes:
        place += (stride + 1) * min(rows, count)
        rows -= min(rows, count)
    return place


def _with_pixels(data: bytes, filled: bytes) -> bytes:
    """Return the file with these pixels in place of its own."""
    body = zlib.compress(filled, 1)
    start = data.index(b"IDAT") - 4
    chunk = b"IDAT" + body
    check = zlib.crc32(chunk).to_bytes(4, "big")
    return data[:start] + len(body).to_bytes(4, "big") + chunk + check + END


def _coarse(image: Image.Image, rows: int, passes: list[tuple[int, int]]) -> Image.Image:
    """Return an interlaced image that was cut: blocks of the last whole pass, and of the next."""
    whole, left = 0, rows
    for _, count in passes:
        if left < count:
            break
        whole, left = whole + 1, left - count
    shown = _in_blocks(image, *BLOCKS[whole - 1]) if whole else Image.new(image.mode, image.size)
    _, top, _, step = PASSES[whole]
    finer = _in_blocks(image, *BLOCKS[whole])
    shown.paste(finer.crop((0, 0, image.width, min(image.height, top + left * step))))
    shown.info = image.info
    return shown


def _in_blocks(image: Image.Image, width: int, height: int) -> Image.Image:
    """Return the image with each block of this size in the colour of its first pixel."""
    size = (-(-image.width // width), -(-image.height // height))
    first = (width, 0, 0.5 - width / 2, 0, height, 0.5 - height / 2)
    small = image.transform(size, Image.Transform.AFFINE, first, Image.Resampling.NEAREST)
    large = small.resize((size[0] * width, size[1] * height), Image.Resampling.NEAREST)
    return large.crop((0, 0, image.width, image.height))
