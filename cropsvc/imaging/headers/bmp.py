"""BMP's header, OS/2's and Windows' forms."""

import struct

from cropsvc.imaging.headers.model import Header


def read_bmp_header(data: bytes) -> Header:
    """The header of a BMP; a negative height means top row first."""
    (size,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if size == 12 else "<ii", data, 18)
    return Header("bmp", width, abs(height))
