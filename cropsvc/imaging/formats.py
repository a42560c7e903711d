"""The output formats: one row each. What an output can hold and how it is written is read here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Options = dict[str, Any]
Alpha = Literal["none", "on or off", "full"]

FULL_COLOR_FROM = 90  # JPEG quality from which colour is not subsampled


Effort = Literal["fast", "balanced", "small"]
EFFORTS: tuple[Effort, ...] = ("fast", "balanced", "small")


@dataclass(frozen=True)
class Encoding:
    """How an output is to be written."""

    quality: int  # 1 to 100; 0 where it has no effect
    effort: Effort = "balanced"
    lossless: bool = False
    alpha: bool = False


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
    can_be_lossless: bool = False  # by `lossless`; formats that never lose anything ignore it
    options: Callable[[Encoding], Options] = lambda encoding: {}
    """Pillow's options for this encoding."""


# The steps of `effort`, by the curves that `bench/effort.py` measures; bench/effort.md says why.
JPEG_SLOWER: dict[Effort, Options] = {
    "fast": {},
    "balanced": {},
    "small": {"optimize": True, "progressive": True},
}
PNG_LEVEL: dict[Effort, int] = {"fast": 1, "balanced": 4, "small": 9}
WEBP_METHOD: dict[Effort, int] = {"fast": 0, "balanced": 2, "small": 6}
WEBP_METHOD_ALPHA: dict[Effort, int] = {"fast": 1, "balanced": 4, "small": 5}
WEBP_LOSSLESS_EFFORT: dict[Effort, int] = {"fast": 0, "balanced": 20, "small": 100}
AVIF_SPEED: dict[Effort, int] = {"fast": 9, "balanced": 8, "small": 6}


def _jpeg(encoding: Encoding) -> Options:
    subsampling = 0 if encoding.quality >= FULL_COLOR_FROM else 2
    slower = JPEG_SLOWER[encoding.effort]
    return {"quality": encoding.quality, "subsampling": subsampling, **slower}


def _png(encoding: Encoding) -> Options:
    return {"compress_level": PNG_LEVEL[encoding.effort]}


def _webp(encoding: Encoding) -> Options:
    methods = WEBP_METHOD_ALPHA if encoding.alpha else WEBP_METHOD
    method = methods[encoding.effort]
    if encoding.lossless:
        return {
            "lossless": True,
            "exact": True,
            "quality": WEBP_LOSSLESS_EFFORT[encoding.effort],
            "method": method,
        }
    return {"quality": encoding.quality, "method": method}


def _avif(encoding: Encoding) -> Options:
    speed = AVIF_SPEED[encoding.effort]
    return {"quality": encoding.quality, "speed": speed, "max_threads": 1}


def _gif(encoding: Encoding) -> Options:
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
    Format("png", "PNG", "image/png", ("png",), alpha="full", animation=True, options=_png),
    Format(
        "webp",
        "WebP",
        "image/webp",
        ("webp",),
        alpha="full",
        animation=True,
        default_quality=82,
        longest_side=16_383,
        can_be_lossless=True,
        options=_webp,
    ),
    Format(
        "avif",
        "AVIF",
        "image/avif",
        ("avif",),
        alpha="full",
        animation=True,
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
READ_ONLY = {  # for the upload's own bytes
    "tiff": "image/tiff",
    "bmp": "image/bmp",
    "heif": "image/heif",
}
AUTO = {"tiff": "png", "bmp": "png", "heif": "jpeg"}  # what `auto` is where it is not the source's
INPUTS = {  # what is read without an extra, by the names for people
    **{name: OUTPUTS[name].label for name in ("jpeg", "png", "webp", "gif", "avif")},
    "tiff": "TIFF",
    "bmp": "BMP",
}
CONTENT_TYPES = {**{row.name: row.content_type for row in _ROWS}, **READ_ONLY}


def resolve(asked: str, source: str) -> str:
    """Return the format to write where *asked* may be `auto`."""
    if asked != "auto":
        return asked
    return AUTO.get(source, source)


def quality(asked: int | None, output: str) -> int:
    """Return the quality to write *output* with, from 1 to 100; 0 where it has none."""
    return asked or OUTPUTS[output].default_quality or 0
