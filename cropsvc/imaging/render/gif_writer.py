"""An animated GIF, written frame by frame: what is seen and for how long, in few bytes."""

import struct
from dataclasses import dataclass

from PIL import GifImagePlugin, Image, ImageChops

from cropsvc.imaging.render.palette import to_palette

KEEP, CLEAR = 1, 2  # what becomes of a frame's pixels when its time is over
MAX_FRAME_TIME = 65_535  # hundredths of a second that one frame can stay
TRAILER = b";"


@dataclass(frozen=True)
class _Frame:
    """All that is seen at a time, in RGBA with alpha 0 or 255, and for how long."""

    image: Image.Image
    time: int  # hundredths of a second

    @property
    def opaque(self) -> bool:
        return self.image.getchannel("A").getextrema()[0] == 255


class GifWriter:
    """Collects frames; each is written when the next one shows what must be left of it.

    A frame that hides nothing is drawn over the last one, only where it differs. Before one with
    transparent pixels the canvas is cleared, for nothing else takes pixels away.
    """

    def __init__(self, sides: tuple[int, int], plays: int) -> None:
        self._parts = [_header(sides, plays)]
        self._under: Image.Image | None = None  # what the pending frame is drawn over
        self._pending: _Frame | None = None
        self._told = 0  # milliseconds so far
        self._written = 0  # hundredths of a second so far

    def add(self, image: Image.Image, duration: int) -> None:
        """Append a frame that is seen for *duration* milliseconds."""
        frame = _Frame(_clean(image), self._time(duration))
        last = self._pending
        if last is not None and _same(last.image, frame.image):
            self._pending = _Frame(last.image, last.time + frame.time)
            return
        if last is not None:
            self._write(last, keep=frame.opaque)
        self._pending = frame

    def finish(self) -> bytes:
        """Return the file."""
        if self._pending is not None:
            self._write(self._pending, keep=True)
        return b"".join([*self._parts, TRAILER])

    def _time(self, duration: int) -> int:
        """Return it rounded, so that the sum of all is right to a hundredth."""
        self._told += duration
        time = (self._told + 5) // 10 - self._written
        self._written += time
        return time

    def _write(self, frame: _Frame, *, keep: bool) -> None:
        part, offset = self._part(frame.image, keep)
        disposal = KEEP if keep else CLEAR
        times = [MAX_FRAME_TIME] * ((frame.time - 1) // MAX_FRAME_TIME)
        self._put(part, offset, frame.time - MAX_FRAME_TIME * len(times), disposal)
        for time in times:  # a longer stay: the same again, nothing drawn
            self._put(part, offset, time, disposal)
        self._under = frame.image if keep else None

    def _part(self, image: Image.Image, keep: bool) -> tuple[Image.Image, tuple[int, int]]:
        """Return what must be drawn, and where."""
        if self._under is None or not keep:
            return image, (0, 0)
        changed = _changed(image, self._under)
        box = changed.getbbox() or (0, 0, 1, 1)
        part = image.crop(box)
        part.putalpha(changed.crop(box))
        return part, box[:2]

    def _put(self, part: Image.Image, offset: tuple[int, int], time: int, disposal: int) -> None:
        reduced = to_palette(part, quick=True, hole=True)
        self._parts += GifImagePlugin.getdata(
            reduced,
            offset,
            duration=time * 10,
            disposal=disposal,
            transparency=reduced.info["transparency"],
            include_color_table=True,
        )


def _header(sides: tuple[int, int], plays: int) -> bytes:
    """Screen without a global colour table; the NETSCAPE block counts repeats, not plays."""
    screen = b"GIF89a" + struct.pack("<HHBBB", *sides, 0x70, 0, 0)
    if plays == 1:
        return screen
    repeats = min(max(plays - 1, 0), 65_535)
    return screen + b"!\xff\x0bNETSCAPE2.0" + struct.pack("<BBHB", 3, 1, repeats, 0)


def _clean(image: Image.Image) -> Image.Image:
    """RGBA whose transparent pixels are all alike."""
    image = image.convert("RGBA")
    if image.getchannel("A").getextrema()[0] == 255:
        return image
    return Image.composite(image, Image.new("RGBA", image.size), image.getchannel("A"))


def _same(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).getbbox(alpha_only=False) is None


def _changed(image: Image.Image, under: Image.Image) -> Image.Image:
    """Return a mask of the pixels that differ."""
    red, green, blue, alpha = ImageChops.difference(image, under).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), ImageChops.lighter(blue, alpha))
    return most.point([0] + [255] * 255)
