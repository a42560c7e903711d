"""BMP's headers: OS/2 1.x and 2.x, and Windows 3 to 5 (wingdi.h, BITMAPINFOHEADER and later)."""

import struct
from dataclasses import dataclass

from cropsvc.imaging.headers.model import Header, broken

FILE_HEADER = 14  # bytes before the information header
RGB, RLE8, RLE4, BITFIELDS, RLE24, ALPHABITFIELDS = 0, 1, 2, 3, 4, 6  # RLE24 is OS/2's 4
EMBEDDED_PROFILE = 0x4D424544  # "MBED"
DEPTHS = {
    RGB: (1, 2, 4, 8, 16, 24, 32),
    RLE8: (8,),
    RLE4: (4,),
    BITFIELDS: (16, 32),
    RLE24: (24,),
    ALPHABITFIELDS: (16, 32),
}
OS2_DEPTHS = (1, 4, 8, 24)  # of the header with 12 bytes
WINDOWS_ONLY = (52, 56, 108, 124)  # sizes of headers that OS/2 never wrote
MASKS_16 = (0x7C00, 0x03E0, 0x001F, 0)
MASKS_32 = (0xFF0000, 0x00FF00, 0x0000FF, 0)


@dataclass(frozen=True)
class BmpHeader:
    """What a BMP says of itself; places and lengths in bytes from the start of the file."""

    size: int  # of the information header; it names the version
    width: int
    height: int
    top_down: bool
    depth: int  # bits of a pixel
    compression: int
    pixels: int  # where the pixels begin
    palette: int  # where the palette begins
    colors: int  # entries of the palette
    masks: tuple[int, int, int, int]  # red, green, blue, alpha
    profile: tuple[int, int]  # where the ICC profile begins, and its length; (0, 0) without one

    @property
    def entry(self) -> int:
        """Bytes of a palette entry."""
        return 3 if self.size == 12 else 4

    @property
    def stride(self) -> int:
        """Bytes of a stored row, which is padded to four."""
        return (self.width * self.depth + 31) // 32 * 4


def read_bmp_header(data: bytes) -> Header:
    """Return the sides of a BMP. Raises Unreadable for a form that no browser shows."""
    header = parse_bmp_header(data)
    return Header("bmp", header.width, header.height)


def parse_bmp_header(data: bytes) -> BmpHeader:
    """Return all that the headers say. Raises Unreadable, or struct.error for a short file."""
    pixels, size = struct.unpack_from("<II", data, 10)
    is_old = size == 12
    width, height, _, depth = struct.unpack_from("<HHHH" if is_old else "<iiHH", data, 18)
    compression = _compression(data, size, depth)
    masks, after = _masks(data, size, depth, compression)
    if width <= 0 or height == 0:
        raise broken(f"it says it is {width}x{height} pixels")
    return BmpHeader(
        size,
        width,
        abs(height),
        height < 0,
        depth,
        compression,
        pixels,
        after,
        _colors(data, size, depth),
        masks,
        _profile(data, size),
    )


def _compression(data: bytes, size: int, depth: int) -> int:
    if size != 12 and not 16 <= size <= 4096:
        raise broken(f"its header has {size} bytes, which no version of BMP has")
    stated = struct.unpack_from("<I", data, 30)[0] if size >= 20 else RGB
    is_os2 = size not in (40, *WINDOWS_ONLY)
    names = {3: "Huffman 1D"} if is_os2 else {4: "an embedded JPEG", 5: "an embedded PNG"}
    if stated in names:
        raise broken(f"its pixels are {names[stated]}, which browsers do not show in a BMP")
    if depth not in (OS2_DEPTHS if size == 12 else DEPTHS.get(stated, ())):
        raise broken(f"a BMP with {depth} bits a pixel and compression {stated} is not defined")
    return int(stated)


def _masks(
    data: bytes, size: int, depth: int, compression: int
) -> tuple[tuple[int, int, int, int], int]:
    """Return the channels' masks, and where the palette begins."""
    after = FILE_HEADER + size
    if compression not in (BITFIELDS, ALPHABITFIELDS):
        red, green, blue, alpha = MASKS_16 if depth == 16 else MASKS_32
        if depth == 32 and size >= 108:
            (alpha,) = struct.unpack_from("<I", data, FILE_HEADER + 52)
        return (red, green, blue, alpha), after
    has_alpha = size >= 56 or (compression == ALPHABITFIELDS and size == 40)
    count = 4 if has_alpha else 3
    found = struct.unpack_from(f"<{count}I", data, FILE_HEADER + 40)
    red, green, blue, alpha = (*found, 0)[:4]
    return (red, green, blue, alpha), after + (4 * count if size == 40 else 0)


def _colors(data: bytes, size: int, depth: int) -> int:
    if depth > 8:
        return 0
    stated = struct.unpack_from("<I", data, 46)[0] if size >= 36 else 0
    return int(stated) or 1 << depth


def _profile(data: bytes, size: int) -> tuple[int, int]:
    if size < 124 or struct.unpack_from("<I", data, FILE_HEADER + 56)[0] != EMBEDDED_PROFILE:
        return 0, 0
    place, length = struct.unpack_from("<II", data, FILE_HEADER + 112)
    return FILE_HEADER + place, length
