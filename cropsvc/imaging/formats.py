"""The output formats: one row each. What an output can hold and how it is written is read here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Options = dict[str, Any]
Alpha = Literal["none", "on or off", "full"]

FULL_COLOR_FROM = 90  # JPEG quality from which colour is not subsampled
LARGE = 4_000_000  # pixels from which WebP's effort is not worth its time: 4 % for twice the time


@dataclass(frozen=True)
class Format:
    """One output format; `name` is the parameter's value and, in capitals, Pillow's name."""

    name: str
    label: str  # for people
    content_type: str
    suffixes: tuple[str, ...]  # without the dot; files are written with the first one
    alpha: Alpha
    animation: bool = False
    palette: bool = False  # at most 256 colours
    default_quality: int | None = None  # None: `quality` has no effect
    longest_side: int | None = None  # pixels that the encoder takes; None: no limit in practice
    options: Callable[[int, int], Options] = lambda quality, pixels: {}
    """Pillow's options for this quality and number of pixels."""


def _jpeg(quality: int, pixels: int) -> Options:
    return {"quality": quality, "subsampling": 0 if quality >= FULL_COLOR_FROM else 2}


def _webp(quality: int, pixels: int) -> Options:
    return {"quality": quality, "method": 2 if pixels > LARGE else 4}


def _avif(quality: int, pixels: int) -> Options:
    return {"quality": quality, "speed": 8, "max_threads": 1}


def _gif(quality: int, pixels: int) -> Options:
    return {"optimize": False}


_ROWS = (
    Format(
        "jpeg",
        "JPEG",
        "image/jpeg",
        ("jpg", "jpeg"),
        alpha="none",
        default_quality=82,
        longest_side=65_500,
        options=_jpeg,
    ),
    Format("png", "PNG", "image/png", ("png",), alpha="full"),
    Format(
        "webp",
        "WebP",
        "image/webp",
        ("webp",),
        alpha="full",
        animation=True,
        default_quality=82,
        longest_side=16_383,
        options=_webp,
    ),
    Format(
        "avif",
        "AVIF",
        "image/avif",
        ("avif",),
        alpha="full",
        default_quality=60,
        longest_side=65_535,
        options=_avif,
    ),
    Format(
        "gif",
        "GIF",
        "image/gif",
        ("gif",),
        alpha="on or off",
        animation=True,
        palette=True,
        longest_side=65_535,
        options=_gif,
    ),
)
OUTPUTS: dict[str, Format] = {row.name: row for row in _ROWS}
BY_SUFFIX: dict[str, Format] = {suffix: row for row in _ROWS for suffix in row.suffixes}
READ_ONLY = {"tiff": "image/tiff", "bmp": "image/bmp"}  # for the upload's own bytes
CONTENT_TYPES = {**{row.name: row.content_type for row in _ROWS}, **READ_ONLY}


def resolve(asked: str, source: str) -> str:
    """Return the format to write where *asked* may be `auto`."""
    if asked != "auto":
        return asked
    return "png" if source in READ_ONLY else source


def quality(asked: int | None, output: str) -> int:
    """Return the quality to write *output* with, from 1 to 100; 0 where it has none."""
    return asked or OUTPUTS[output].default_quality or 0
