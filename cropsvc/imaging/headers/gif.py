"""GIF's blocks (GIF89a): sides and frames, counted without decoding."""

import struct

from cropsvc.imaging.headers.model import SEGMENTS, Header, broken
from cropsvc.model.errors import TooComplex

BLOCKS = 150_000  # data blocks walked, about 15 ms; 32 MiB of full blocks are 131,586
EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B


class _Reader:
    """Walks a GIF's blocks."""

    def __init__(self, data: bytes, max_frames: int) -> None:
        self.data = data
        self.place = 13 + _table(data[10])
        self.max_frames = max_frames
        self.blocks = 0
        self.extents: list[tuple[int, int]] = []  # right and bottom edge of each frame

    def walk(self) -> None:
        """Collect the frames' extents up to the trailer, the end; it must be there.

        Without it nobody could tell a whole animation from one that was cut off between frames.
        """
        for _ in range(SEGMENTS + 4 * self.max_frames):
            kind = self.data[self.place] if self.place < len(self.data) else None
            if kind == EXTENSION:
                self._skip(self.place + 2)
            elif kind == IMAGE:
                self._image()
            elif kind == 0:
                self._skip(self.place)
            elif kind == TRAILER:
                return
            elif kind is None:
                raise broken("the GIF is cut off")
            else:
                raise broken(f"the GIF has a block of unknown kind {kind}")
        raise TooComplex(f"the GIF has more than {SEGMENTS:,} blocks beside its frames")

    def _image(self) -> None:
        left, top, width, height, flags = struct.unpack_from("<4HB", self.data, self.place + 1)
        self.extents.append((left + width, top + height))
        if len(self.extents) > self.max_frames:
            raise TooComplex(f"the GIF has more than {self.max_frames} frames, the most allowed")
        self._skip(self.place + 11 + _table(flags))

    def _skip(self, place: int) -> None:
        """Go behind the chain of data blocks at *place*."""
        data, end, blocks = self.data, len(self.data), self.blocks + 1
        while place < end and (length := data[place]) and blocks <= BLOCKS:
            place += length + 1
            blocks += 1
        if blocks > BLOCKS:
            raise TooComplex(f"the GIF has more than {BLOCKS:,} data blocks")
        self.place, self.blocks = place + 1, blocks


def _table(flags: int) -> int:
    return 6 << (flags & 7) if flags & 0x80 else 0


def read_gif_header(data: bytes, max_frames: int) -> Header:
    """The header of a GIF; raises TooComplex above *max_frames*.

    A first frame larger than the screen widens it, as Pillow does.
    """
    width, height = struct.unpack_from("<HH", data, 6)
    reader = _Reader(data, max_frames)
    reader.walk()
    if not reader.extents:
        raise broken("the GIF has no frame")
    first = reader.extents[0]
    return Header(
        "gif",
        max(width, first[0]),
        max(height, first[1]),
        frames=len(reader.extents),
        canvas=(
            max(width, *(right for right, _ in [first, *reader.extents])),
            max(height, *(bottom for _, bottom in [first, *reader.extents])),
        ),
    )
