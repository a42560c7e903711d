"""BMP's run-length encodings, of 4, 8 and 24 bits: to one byte, or three, for each pixel.

https://learn.microsoft.com/windows/win32/gdi/bitmap-compression; RLE24 is OS/2 2.x's.
A run or a jump that leaves its row, or the image, is cut there, as Chromium does.
"""

from dataclasses import dataclass

from cropsvc.imaging.headers.bmp import RLE4, RLE24, BmpHeader

END_OF_LINE, END_OF_IMAGE, DELTA = 0, 1, 2


@dataclass(frozen=True)
class Unpacked:
    """The rows in the file's order."""

    pixels: bytes
    covered: bytes  # 255 for each pixel that a run covers, else 0
    rows: int  # complete ones: the file may end in the middle of a row


def unpack_runs(data: bytes, header: BmpHeader) -> Unpacked:
    """Return the pixels that the runs describe."""
    canvas = _Canvas(header)
    rows = canvas.fill(data, header.pixels)
    return Unpacked(bytes(canvas.pixels), bytes(canvas.covered), rows)


class _Canvas:
    """The pixels as they are written, with a place that moves on."""

    def __init__(self, header: BmpHeader) -> None:
        self._kind = header.compression
        self._bytes = 3 if header.compression == RLE24 else 1
        self._width, self._height = header.width, header.height
        self.pixels = bytearray(header.width * header.height * self._bytes)
        self.covered = bytearray(header.width * header.height)
        self._x = self._y = 0

    def fill(self, data: bytes, at: int) -> int:
        """Write what the runs from *at* on say. Return the number of complete rows."""
        while at + 1 < len(data) and self._y < self._height:
            count, value = data[at], data[at + 1]
            if count:
                at += 1
                unit = data[at : at + self._bytes]
                at += self._bytes
                self._put(self._run(unit, count))
            elif value == END_OF_LINE:
                self._x, self._y, at = 0, self._y + 1, at + 2
            elif value == END_OF_IMAGE:
                return self._height
            elif value == DELTA:
                if at + 3 >= len(data):
                    break
                self._x, self._y, at = self._x + data[at + 2], self._y + data[at + 3], at + 4
            else:
                at += 2
                length = self._stored(value)
                self._put(self._literal(data[at : at + length], value))
                at += length + length % 2  # padded to 16 bits
        return min(self._y, self._height)

    def _stored(self, count: int) -> int:
        """Bytes of *count* literal pixels."""
        return (count + 1) // 2 if self._kind == RLE4 else count * self._bytes

    def _run(self, unit: bytes, count: int) -> bytes:
        if self._kind == RLE4:
            return (bytes((unit[0] >> 4, unit[0] & 15)) * (count // 2 + 1))[:count]
        return unit * count

    def _literal(self, stored: bytes, count: int) -> bytes:
        if self._kind != RLE4:
            return stored
        return bytes(half for byte in stored for half in (byte >> 4, byte & 15))[:count]

    def _put(self, pixels: bytes) -> None:
        count = min(max(0, self._width - self._x), len(pixels) // self._bytes)
        start = self._y * self._width + self._x
        part = pixels[: count * self._bytes]
        self.pixels[start * self._bytes : start * self._bytes + len(part)] = part
        self.covered[start : start + count] = b"\xff" * count
        self._x += len(pixels) // self._bytes
