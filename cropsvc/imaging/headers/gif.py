"""GIF's blocks (GIF89a): sides and frames, read without decoding, as browsers read them.

A block of unknown kind ends the file, and so does its last byte: no trailer is needed.
"""

import struct
from dataclasses import dataclass

from cropsvc.imaging.headers.model import SEGMENTS, Header, broken
from cropsvc.model.errors import TooComplex

BLOCKS = 150_000  # data blocks walked, about 15 ms; 32 MiB of full blocks are 131,586
EXTENSION, IMAGE = 0x21, 0x2C
CONTROL, COMMENT, APPLICATION = 0xF9, 0xFE, 0xFF  # labels of extensions
LOOP_AUTHORS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
XMP = b"\x21\xff\x0bXMP DataXMP"  # how the extension begins that holds a packet
XMP_END = b"\x01\xff\xfe\xfd"  # of the tail that leads a reader of blocks past a packet (XMP 3)


@dataclass(frozen=True)
class GifFrame:
    """One frame as stored."""

    box: tuple[int, int, int, int]  # left, top, width, height; it may leave the screen
    flags: int  # of its descriptor: local palette, interlace
    palette: bytes  # its own, else the file's; three bytes a colour
    data: tuple[int, int]  # where its code size and data blocks begin and end
    transparent: int | None = None  # index of the transparent colour
    disposal: int = 0  # what happens to it before the next frame
    delay: int = 0  # hundredths of a second


@dataclass(frozen=True)
class Gif:
    """A file's screen and frames."""

    width: int
    height: int
    frames: tuple[GifFrame, ...]
    loop: int | None  # repeats, 0 without end; None where the file says nothing
    cut: bool = False  # the file ends within a block
    has_metadata: bool = False  # a comment, or an XMP packet


def read_gif_header(data: bytes, max_frames: int) -> Header:
    """Return the header of a GIF. Raises TooComplex above *max_frames*, Unreadable without one."""
    gif = parse_gif(data, max_frames)
    cut = gif.cut and len(gif.frames) > 1
    return Header("gif", gif.width, gif.height, frames=len(gif.frames), cut=cut)


def parse_gif(data: bytes, max_frames: int) -> Gif:
    """Return the screen and the frames. Raises as `read_gif_header`."""
    reader = _Reader(data, max_frames)
    reader.walk()
    if not reader.frames:
        raise broken("the GIF has no frame")
    width, height = struct.unpack_from("<HH", data, 6)
    left, top, *sides = reader.frames[0].box
    width, height = max(width, left + sides[0]), max(height, top + sides[1])  # as browsers do
    return Gif(width, height, tuple(reader.frames), reader.loop, reader.cut, reader.has_metadata)


class _Reader:
    """Walks a GIF's blocks."""

    def __init__(self, data: bytes, max_frames: int) -> None:
        self.data = data
        self.place = 13 + _table(data[10])
        self.palette = data[13 : self.place]
        self.max_frames = max_frames
        self.blocks = 0
        self.frames: list[GifFrame] = []
        self.loop: int | None = None
        self.cut = self.has_metadata = False
        self._control = (0, 0, 0)  # flags, delay, transparent index

    def walk(self) -> None:
        """Collect the frames up to the trailer, an unknown block or the end."""
        for _ in range(SEGMENTS + 4 * self.max_frames):
            kind = self.data[self.place] if self.place < len(self.data) else None
            if kind == EXTENSION:
                self._extension()
            elif kind == IMAGE and self.place + 11 <= len(self.data):
                self._image()
            elif kind == 0:
                self._skip(self.place)
            else:
                self.cut = self.cut or kind == IMAGE
                return
        raise TooComplex(f"the GIF has more than {SEGMENTS:,} blocks that are not frames")

    def _extension(self) -> None:
        start = self.place + 2
        body = self.data[
            start + 1 : start + 1 + (self.data[start] if start < len(self.data) else 0)
        ]
        label = self.data[self.place + 1 : self.place + 2]
        if label == bytes((CONTROL,)) and len(body) >= 4:
            self._control = struct.unpack_from("<BHB", body)
        elif label == bytes((APPLICATION,)) and body in LOOP_AUTHORS:
            self._application(start + 1 + len(body))
        elif label == bytes((COMMENT,)) or self.data.startswith(XMP, self.place):
            self.has_metadata = True
        self._skip(start)

    def _application(self, place: int) -> None:
        block = self.data[place : place + 4]
        if len(block) == 4 and block[0] >= 3 and block[1] == 1:
            self.loop = int.from_bytes(block[2:4], "little")

    def _image(self) -> None:
        left, top, width, height, flags = struct.unpack_from("<4HB", self.data, self.place + 1)
        start = self.place + 10
        own = self.data[start : start + _table(flags)]
        start += _table(flags)
        self._skip(start + 1)
        control, delay, transparent = self._control
        frame = GifFrame(
            (left, top, width, height),
            flags,
            own or self.palette,
            (start, self.place),
            transparent if control & 1 else None,
            control >> 2 & 7,
            delay,
        )
        self.frames.append(frame)
        self._control = (0, 0, 0)
        if len(self.frames) > self.max_frames:
            raise TooComplex(f"the GIF has more than {self.max_frames} frames, the most allowed")

    def _skip(self, place: int) -> None:
        """Go past the chain of data blocks at *place*."""
        data, end, blocks = self.data, len(self.data), self.blocks + 1
        while place < end and (length := data[place]) and blocks <= BLOCKS:
            place += length + 1
            blocks += 1
        if blocks > BLOCKS:
            raise TooComplex(f"the GIF has more than {BLOCKS:,} data blocks")
        self.cut = place > end  # within a block; the end mark of a chain may be missing
        self.place, self.blocks = place + 1, blocks


def _table(flags: int) -> int:
    """Return the bytes of the palette that these flags announce."""
    return 6 << (flags & 7) if flags & 0x80 else 0
