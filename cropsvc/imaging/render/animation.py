"""Animations: frames as they are seen, one after another, to an animation in another format."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from cropsvc.imaging import formats
from cropsvc.imaging.formats import Encoding, Options
from cropsvc.imaging.headers.avif_plays import plays_of, with_plays
from cropsvc.imaging.headers.gif import parse_gif
from cropsvc.imaging.headers.probe import Source
from cropsvc.imaging.render.apng_writer import ApngWriter
from cropsvc.imaging.render.color import scalable
from cropsvc.imaging.render.decode import open_source
from cropsvc.imaging.render.gif_reader import composed
from cropsvc.imaging.render.gif_writer import GifWriter
from cropsvc.imaging.render.metadata import TRUNCATED
from cropsvc.imaging.render.pillow_setup import decoding
from cropsvc.imaging.render.png import decode_png
from cropsvc.imaging.render.png_repair import parts_of
from cropsvc.model.errors import Unreadable

HELD = 8_000_000  # pixels of an animation that are kept decoded for several outputs: 32 MB
BRIEF = 100  # milliseconds for which a frame is shown whose own time cannot be read
MOST_PLAYS = 65_535  # that WebP can say


@dataclass(frozen=True)
class Frame:
    """What is seen at a time, and for how many milliseconds."""

    image: Image.Image
    duration: int


class Frames:
    """An animation's frames; small ones are decoded once, others again for every output."""

    def __init__(self, data: bytes, source: Source, *, shared: bool) -> None:
        self._data = data
        self._source = source
        pixels = source.width * source.height * source.frames
        self._hold = shared and pixels <= HELD
        self._held: list[Frame] = []
        self.plays = 0  # how often it is shown; 0 is without end
        self.truncated = False  # whether a part of those seen so far was missing

    def __len__(self) -> int:
        return self._source.frames

    def __iter__(self) -> Iterator[Frame]:
        if self._held:
            yield from self._held
            return
        held = []
        for frame in self._decoded():
            if self._hold:
                held.append(frame)
            yield frame
        self._held = held

    def _decoded(self) -> Iterator[Frame]:
        if self._source.format == "gif":
            yield from self._composed()
            return
        data = parts_of(self._data, moves=True).data if self._source.format == "png" else self._data
        opened = open_source(data, self._source)
        self.plays = _plays(opened, self._data, self._source.format)
        first = 1 if opened.info.get("default_image") else 0  # an image that is not shown
        frame = None
        for index in range(len(self)):
            try:
                with decoding():
                    opened.seek(first + index)
                    opened.load()
                    image = scalable(opened.copy())
                frame = Frame(image, round(opened.info.get("duration", 0)))
            except Unreadable:
                if self._source.format != "png":
                    raise
                self.truncated = True  # what was seen last stays
                frame = frame or self._first_png()
            yield frame

    def _first_png(self) -> Frame:
        """Return what can be read of a damaged first frame."""
        with decoding():
            return Frame(scalable(decode_png(self._data)), BRIEF)

    def _composed(self) -> Iterator[Frame]:
        gif = parse_gif(self._data, len(self))
        self.plays = 1 if gif.loop is None else gif.loop and gif.loop + 1
        for each in composed(self._data, gif):
            self.truncated = self.truncated or TRUNCATED in each.image.info
            yield Frame(each.image, each.duration)


def _plays(image: Image.Image, data: bytes, source: str) -> int:
    if source == "avif":
        return plays_of(data)  # Pillow does not say
    return int(image.info.get("loop", 0 if source == "png" else 1))


class _Reel(Image.Image):
    """Frames in the shape that Pillow's writers take: one image that is sought forward."""

    def __init__(self, frames: Iterator[Frame], count: int) -> None:
        super().__init__()
        self.n_frames = count
        self.is_animated = True
        self.durations: list[int] = []
        self._frames = frames
        self._next()

    def _next(self) -> None:
        frame = next(self._frames)
        self.im, self._size, self._mode = frame.image.im, frame.image.size, frame.image.mode
        self.durations.append(frame.duration)

    def seek(self, frame: int) -> None:
        if frame >= self.n_frames:
            raise EOFError
        if frame == len(self.durations):
            self._next()


def _gif(frames: Iterator[Frame], count: int, options: Options, plays: Callable[[], int]) -> bytes:
    first = next(frames)
    writer = GifWriter(first.image.size, plays())
    writer.add(first.image, first.duration)
    for frame in frames:
        writer.add(frame.image, frame.duration)
    return writer.finish()


def _webp(frames: Iterator[Frame], count: int, options: Options, plays: Callable[[], int]) -> bytes:
    buffer = BytesIO()
    reel = _Reel(frames, count)
    reel.save(
        buffer,
        "WEBP",
        save_all=True,
        duration=reel.durations,  # grows as the frames come
        loop=min(plays(), MOST_PLAYS),
        **options,
    )
    return buffer.getvalue()


def _png(frames: Iterator[Frame], count: int, options: Options, plays: Callable[[], int]) -> bytes:
    first = next(frames)
    writer = ApngWriter(first.image.size, options["compress_level"])
    writer.add(first.image, first.duration)
    for frame in frames:
        writer.add(frame.image, frame.duration)
    return writer.finish(plays(), options)


def _avif(frames: Iterator[Frame], count: int, options: Options, plays: Callable[[], int]) -> bytes:
    buffer = BytesIO()
    reel = _Reel((_with_alpha(frame) for frame in frames), count)
    # Chromium 156 shows a sequence in full range, Pillow's default, with too much contrast.
    options = {"range": "limited", **options}
    reel.save(buffer, "AVIF", save_all=True, duration=reel.durations, **options)
    return with_plays(buffer.getvalue(), plays())  # Pillow's are shown without end


def _with_alpha(frame: Frame) -> Frame:
    """Return the frame in RGBA: all of a sequence must be alike."""
    return Frame(frame.image.convert("RGBA"), frame.duration)


def encode_moving(
    frames: Frames,
    made: Callable[[Image.Image], Image.Image],
    output: str,
    encoding: Encoding,
    kept: Options,
) -> bytes:
    """Return the animation in this format, every frame as *made* makes it.

    *kept* is metadata as options for Pillow; a GIF holds none of it.
    """
    write = {"gif": _gif, "webp": _webp, "png": _png, "avif": _avif}[output]
    finished = (Frame(made(frame.image), frame.duration) for frame in frames)
    options = {**formats.OUTPUTS[output].options(encoding), **kept}
    return write(finished, len(frames), options, lambda: frames.plays)
