"""GIF's compression, undone in Python as far as damaged data goes (GIF89a, appendix F).

Pillow gives up such a frame as a whole; browsers show what came before the fault.
"""

from dataclasses import dataclass

PASSES = ((0, 8, 8), (4, 8, 4), (2, 4, 2), (1, 2, 1))
"""Of an interlaced frame: first row, step, and the rows that a row fills from itself on."""
MOST_CODES = 4096


@dataclass(frozen=True)
class Rows:
    """Palette indexes row by row, and 255 for each pixel that is known, else 0."""

    indexes: bytes
    known: bytes
    complete: bool


def decoded_rows(data: bytes, width: int, height: int, *, interlaced: bool) -> Rows:
    """Return *height* rows of what can be read.

    *data* begins with the code size. In an interlaced frame a known row fills those around it
    until their own come, as Chromium shows it.
    """
    pixels = _unpacked(data, width * height)
    size = width * height
    complete = len(pixels) == size
    known = (b"\xff" * len(pixels)).ljust(size, b"\0")
    pixels = pixels.ljust(size, b"\0")
    if not interlaced:
        return Rows(pixels, known, complete)
    return Rows(*_in_order(pixels, known, width, height), complete)


def _in_order(pixels: bytes, known: bytes, width: int, height: int) -> tuple[bytes, bytes]:
    rows, masks = [bytes(width)] * height, [bytes(width)] * height
    place = 0
    for first, step, fills in PASSES:
        for y in range(first, height, step):
            mask = known[place : place + width]
            if mask[:1] == b"\0":
                return b"".join(rows), b"".join(masks)
            count = mask.count(255)
            for target in range(y, min(height, y + (fills if count == width else 1))):
                rows[target] = pixels[place : place + count] + rows[target][count:]
                masks[target] = mask[:count] + masks[target][count:]
            place += width
    return b"".join(rows), b"".join(masks)


def _bits(data: bytes) -> bytes:
    """Return the data blocks' bytes without their lengths."""
    parts, place = [], 1
    while place < len(data) and (length := data[place]):
        parts.append(data[place + 1 : place + 1 + length])
        place += length + 1
    return b"".join(parts)


def _unpacked(data: bytes, most: int) -> bytes:
    """Return at most *most* pixels, up to the first fault."""
    if not data or not 1 <= data[0] <= 11:
        return b""
    return _Decoder(data[0]).run(_bits(data), most)


class _Decoder:
    """The table of codes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._clear = 1 << size
        self._reset()

    def _reset(self) -> None:
        self._table: list[bytes] = [bytes((i & 255,)) for i in range(self._clear)] + [b"", b""]
        self._width = self._size + 1
        self._last = b""

    def run(self, packed: bytes, most: int) -> bytes:
        """Return the pixels of the codes."""
        out: list[bytes] = []
        length = held = bits = 0
        for byte in packed:
            held |= byte << bits
            bits += 8
            while bits >= self._width and length < most:
                code = held & (1 << self._width) - 1
                held, bits = held >> self._width, bits - self._width
                if code == self._clear:
                    self._reset()
                    continue
                string = self._string(code)
                if string is None:
                    return b"".join(out)[:most]
                out.append(string)
                length += len(string)
        return b"".join(out)[:most]

    def _string(self, code: int) -> bytes | None:
        """Return what a code stands for, and learn the next one; None for the end or a fault."""
        table, last = self._table, self._last
        if code == self._clear + 1 or code > len(table) or (code == len(table) and not last):
            return None
        string = table[code] if code < len(table) else last + last[:1]
        if last and len(table) < MOST_CODES:
            table.append(last + string[:1])
            if len(table) == 1 << self._width and self._width < 12:
                self._width += 1
        self._last = string
        return string
