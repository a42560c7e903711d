"""BMP's pixels in every layout that browsers show; Pillow reads only the usual ones.

Chromium 156 was asked for each rule (tests/imaging/test_bmp.py): skipped pixels of a run-length
image are black, an index beyond the palette is black, and rows that the file does not hold are
transparent.
"""

from PIL import Image, ImageMath

from cropsvc.imaging.headers.bmp import RLE4, RLE8, RLE24, BmpHeader, parse_bmp_header
from cropsvc.imaging.render.bmp_rle import unpack_runs
from cropsvc.imaging.render.metadata import TRUNCATED

STRIP = 4_000_000  # pixels whose channels are cut out at once, 16 bytes of memory each
RAW = {  # masks of red, green, blue and alpha -> Pillow's raw mode
    (24, 0xFF0000, 0x00FF00, 0x0000FF, 0): ("RGB", "BGR"),
    (32, 0xFF0000, 0x00FF00, 0x0000FF, 0): ("RGB", "BGRX"),
    (32, 0xFF0000, 0x00FF00, 0x0000FF, 0xFF000000): ("RGBA", "BGRA"),
    (32, 0x0000FF, 0x00FF00, 0xFF0000, 0xFF000000): ("RGBA", "RGBA"),
}


def decode_bmp(data: bytes) -> Image.Image:
    """Return the image in RGB or RGBA; `info` holds an ICC profile, and whether rows are missing.

    Raises Unreadable, or whatever Pillow raises, for what no browser shows.
    """
    header = parse_bmp_header(data)
    runs = header.compression in (RLE8, RLE4, RLE24)
    image = _of_runs(data, header) if runs else _of_rows(data, header)
    start, length = header.profile
    if length:
        image.info["icc_profile"] = data[start : start + length]
    return image


def _of_runs(data: bytes, header: BmpHeader) -> Image.Image:
    found = unpack_runs(data, header)
    depth = 24 if header.compression == RLE24 else 8
    image = _image(data, header, found.pixels, (depth, header.width * depth // 8))
    mask = Image.frombytes("L", _sides(header), found.covered, "raw", "L", 0, _order(header))
    image = Image.composite(image, Image.new("RGB", image.size), mask)
    return _without_missing(image, header, found.rows)


def _of_rows(data: bytes, header: BmpHeader) -> Image.Image:
    stride = header.stride
    stored = data[header.pixels : header.pixels + stride * header.height]
    rows = len(stored) // stride
    stored = stored[: rows * stride] + bytes(stride * (header.height - rows))
    image = _image(data, header, stored, (header.depth, stride))
    return _without_missing(image, header, rows)


def _without_missing(image: Image.Image, header: BmpHeader, rows: int) -> Image.Image:
    """Return the image with the rows transparent that the file does not hold."""
    if rows >= header.height:
        return image
    image = image.convert("RGBA")
    top, bottom = (rows, header.height) if header.top_down else (0, header.height - rows)
    image.paste((0, 0, 0, 0), (0, top, header.width, bottom))
    image.info[TRUNCATED] = True
    return image


def _image(data: bytes, header: BmpHeader, stored: bytes, layout: tuple[int, int]) -> Image.Image:
    depth, stride = layout
    if depth <= 8:
        return _indexed(data, header, stored, layout)
    known = RAW.get((depth, *header.masks))
    if known is None:
        return _masked(header, stored, stride)
    mode, raw = known
    return Image.frombytes(mode, _sides(header), stored, "raw", raw, stride, _order(header))


def _sides(header: BmpHeader) -> tuple[int, int]:
    return header.width, header.height


def _order(header: BmpHeader) -> int:
    return 1 if header.top_down else -1


def _indexed(data: bytes, header: BmpHeader, stored: bytes, layout: tuple[int, int]) -> Image.Image:
    depth, stride = layout
    raw = "P" if depth == 8 else f"P;{depth}"
    image = Image.frombytes("P", _sides(header), stored, "raw", raw, stride, _order(header))
    room = min(header.colors, 256) * header.entry
    entries = data[header.palette : min(header.palette + room, header.pixels)]
    colors = [entries[place : place + 3][::-1] for place in range(0, len(entries), header.entry)]
    image.putpalette(b"".join(colors).ljust(768, b"\0")[:768])
    return image.convert("RGB")


def _masked(header: BmpHeader, stored: bytes, stride: int) -> Image.Image:
    """Return an image whose channels lie anywhere in 16 or 32 bits; a strip at a time."""
    mode = "RGBA" if header.masks[3] else "RGB"
    image = Image.new(mode, _sides(header))
    rows = max(1, STRIP // header.width)
    for top in range(0, header.height, rows):
        count = min(rows, header.height - top)
        part = stored[top * stride : (top + count) * stride]
        raw = "I;16" if header.depth == 16 else "I;32"
        first = "I;16" if header.depth == 16 else "I"
        values = Image.frombytes(first, (header.width, count), part, "raw", raw, stride, 1)
        strip = Image.merge(
            mode, [_channel(values.convert("I"), mask) for mask in header.masks[: len(mode)]]
        )
        image.paste(strip, (0, top))
    return image if header.top_down else image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def _channel(values: Image.Image, mask: int) -> Image.Image:
    """Return one channel, scaled to 8 bits: rounded from fewer, cut off from more."""
    if not mask:
        return Image.new("L", values.size)
    shift = (mask & -mask).bit_length() - 1
    bits = mask.bit_length() - shift
    shift, bits = (shift + bits - 8, 8) if bits > 8 else (shift, bits)
    most = (1 << bits) - 1
    channel = ImageMath.lambda_eval(
        lambda given: (((given["values"] >> shift) & most) * 510 + most) / (2 * most),
        values=values,
    )
    return channel.convert("L")  # type: ignore[no-any-return]  # ImageMath ships no types
