"""GIF's frames as browsers compose them: on a transparent screen, clipped to it.

Pillow decodes one frame at a time, in a file made for it alone. Its own composition fills what
a frame leaves with the background colour, and widens the screen for a frame that leaves it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from cropsvc.imaging.headers.gif import Gif, GifFrame, parse_gif
from cropsvc.imaging.render.color import least_alpha
from cropsvc.imaging.render.gif_lzw import decoded_rows
from cropsvc.imaging.render.metadata import TRUNCATED

CLEAR, RESTORE = 2, (3, 4)  # disposals; browsers take 4 as 3
CENTISECOND = 10  # milliseconds
QUICKEST = 1  # a delay of up to so many hundredths of a second plays as 100 ms
BEYOND = 4_000_000  # pixels that a frame may have more than twice the screen's; else it is left out


@dataclass(frozen=True)
class Composed:
    """The screen at a time, and for how many milliseconds it stays."""

    image: Image.Image
    duration: int


def decode_gif(data: bytes) -> Image.Image:
    """Return the first frame on its screen; `info` says whether a part is missing."""
    gif = parse_gif(data, max_frames=2**31)
    image = next(composed(data, gif)).image
    if gif.has_metadata:
        image.info["comment"] = True
    return image


def composed(data: bytes, gif: Gif) -> Iterator[Composed]:
    """Yield the screen with each frame, in RGB or RGBA."""
    screen = Image.new("RGBA", (gif.width, gif.height))
    for frame in gif.frames:
        before = screen.copy() if frame.disposal in RESTORE else None
        complete = frame.box[2] * frame.box[3] <= 2 * gif.width * gif.height + BEYOND
        if complete:
            part, complete = _pixels(data, frame)
            screen.paste(part, frame.box[:2], part)
        is_opaque = least_alpha(screen) == 255
        image = screen.convert("RGB") if is_opaque else screen.copy()
        if not complete:
            image.info[TRUNCATED] = True
        yield Composed(image, frame.delay * CENTISECOND)
        if before is not None:
            screen = before
        elif frame.disposal == CLEAR:
            left, top, width, height = frame.box
            screen.paste((0, 0, 0, 0), (left, top, left + width, top + height))


def _pixels(data: bytes, frame: GifFrame) -> tuple[Image.Image, bool]:
    """Return the frame alone in RGBA, and whether the file holds all of it."""
    try:
        with Image.open(BytesIO(_alone(data, frame)), formats=["GIF"]) as opened:
            return opened.convert("RGBA"), True
    except (OSError, EOFError, SyntaxError, ValueError):
        return _damaged(data, frame)


def _alone(data: bytes, frame: GifFrame) -> bytes:
    """Return a file of this frame only, on a screen of its size."""
    width, height = frame.box[2:]
    size, palette = _padded(frame.palette)
    head = struct.pack("<6sHHBBB", b"GIF89a", width, height, 0x80 | size, 0, 0) + palette
    if frame.transparent is not None:
        head += struct.pack("<BBBBHBB", 0x21, 0xF9, 4, 1, 0, frame.transparent, 0)
    descriptor = struct.pack("<BHHHHB", 0x2C, 0, 0, width, height, frame.flags & 0x40)
    return b"".join((head, descriptor, data[slice(*frame.data)], b"\0\x3b"))


def _padded(palette: bytes) -> tuple[int, bytes]:
    """Return a palette of 256 colours; an index beyond the file's own is black."""
    return 7, palette.ljust(768, b"\0")


def _damaged(data: bytes, frame: GifFrame) -> tuple[Image.Image, bool]:
    width, height = frame.box[2:]
    interlaced = bool(frame.flags & 0x40)
    rows = decoded_rows(data[slice(*frame.data)], width, height, interlaced=interlaced)
    image = Image.frombytes("P", (width, height), rows.indexes)
    image.putpalette(_padded(frame.palette)[1])
    mask = Image.frombytes("L", (width, height), rows.known)
    if frame.transparent is not None:
        shown = Image.frombytes("L", (width, height), rows.indexes).point(
            [0 if index == frame.transparent else 255 for index in range(256)]
        )
        mask.paste(0, mask=shown.point(lambda value: 255 - value))
    image = image.convert("RGBA")
    image.putalpha(mask)
    return image, rows.complete
