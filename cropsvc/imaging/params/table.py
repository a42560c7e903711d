"""The parameter table of the API as data, for the parser, OpenAPI, Celery and the CLI."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cropsvc.imaging import formats
from cropsvc.imaging.params import values
from cropsvc.model.choices import boolean, one_of

MAX_OUTPUTS = 16
FITS = ("cover", "contain", "inside", "stretch")
FORMATS = ("auto", *formats.OUTPUTS)
_ROWS = formats.OUTPUTS.values()
_NO_QUALITY = " and ".join(row.label for row in _ROWS if row.default_quality is None)
_DEFAULT_QUALITY = ", ".join(
    f"{row.label} {row.default_quality}" for row in _ROWS if row.default_quality is not None
)
SHOWN = 40  # characters of a wrong value that an error repeats


class Number(str):
    """A number of a JSON document, as written there."""


class Truth(str):
    """A boolean of a JSON document, as written there."""


@dataclass(frozen=True)
class Parameter:
    """One row of the table: the rule as text, as JSON schema, and as a parser."""

    name: str
    description: str
    schema: Mapping[str, Any]
    default: str  # a description where it depends on other parameters
    parse: Callable[[str], object]
    also: type = str  # the type that JSON may hold here instead of a string

    def read(self, value: str) -> object:
        """Return the parsed *value*.

        Raises ValueError, whose message repeats the value, shortened.
        """
        if type(value) not in (str, self.also):
            raise ValueError(f"must be a string, not {value}")
        try:
            return self.parse(value)
        except ValueError as error:
            shown = value if len(value) <= SHOWN else f"{value[:SHOWN]}..."
            raise ValueError(f"{shown!r}: {error}") from None


def _string(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "pattern": values.PATTERNS[name], **more}


_BOOLEAN = {"type": ["string", "boolean"], "enum": ["true", "false", True, False]}

CROP_PARAMETERS = (
    Parameter(
        "box",
        "The region to cut: `x,y,width,height` in pixels, or with `%` of the image's width or "
        "height. It counts from the top left of the image as displayed. Edges round half up. A box "
        "that reaches outside the image is clamped and noted.",
        _string("box", examples=["4,20%,150,40%", "100,50,640,480"]),
        "whole image",
        values.box,
    ),
    Parameter(
        "aspect",
        "The region's ratio, `16:9` or `1.5`. Without `box`: the largest region of that ratio, "
        "placed by `anchor`. With `box`: the box grows to that ratio. The region is the smallest "
        "that contains the box, centred on it and shifted to stay inside the image; if it does not "
        "fit, the largest that does.",
        _string("aspect", type=["string", "number"], examples=["16:9", "1:1", "1.5"]),
        "none",
        values.aspect,
        also=Number,
    ),
    Parameter(
        "anchor",
        "Where a smaller region goes: a named place, a focal point of the image as fractions of "
        "its width and height (`0.3,0.7`), `smart` for the most interesting part, or `face` for "
        "the faces (needs the extra `faces`; without a face as `smart`).",
        _string("anchor", examples=[*values.ANCHORS, *values.METHODS, "0.3,0.7"]),
        "center",
        values.anchor,
    ),
    Parameter(
        "size",
        "The output's size in pixels: `300x300`, `300x` or `x300`. One side alone keeps the "
        "region's ratio; for both sides see `fit`.",
        _string("size", examples=["300x300", "300x", "x300"]),
        "the region's own",
        values.size,
    ),
    Parameter(
        "fit",
        "How the region fills a `size` with both sides. `cover` fills it and cuts what sticks out, "
        "by `anchor`. `contain` shows the whole region and pads with `background`. `inside` shows "
        "the whole region without padding. `stretch` distorts. A `box` with both sides of `size` "
        "stretches by default: set `fit` or `aspect` if the ratios differ.",
        {"type": "string", "enum": list(FITS)},
        "`stretch` with `box` and no `aspect`, else `cover`",
        one_of(*FITS),
    ),
    Parameter(
        "enlarge",
        "`false`: the result is never scaled up. `contain` keeps the size and pads more, `stretch` "
        "takes the smaller of both per side, the others shrink the result at its ratio.",
        _BOOLEAN,
        "true",
        boolean,
        also=Truth,
    ),
    Parameter(
        "rotate",
        "Degrees clockwise, -360 to 360 with at most two decimals, before the box is applied. By "
        "other than right angles the image is straightened: box, percentages and anchors refer to "
        "the largest frame of its own ratio that has no empty corners.",
        _string(
            "rotate", type=["string", "number"], minimum=-360, maximum=360, examples=["90", "-2.5"]
        ),
        "0",
        values.turn,
        also=Number,
    ),
    Parameter(
        "format",
        "The output's format; `auto` is the source's, PNG for BMP and TIFF, JPEG for MPO and HEIC.",
        {"type": "string", "enum": list(FORMATS)},
        "auto",
        one_of(*FORMATS),
    ),
    Parameter(
        "quality",
        f"How much detail the encoder keeps, 1 to 100. No effect on {_NO_QUALITY}.",
        _string("quality", type=["string", "integer"], minimum=1, maximum=100),
        _DEFAULT_QUALITY,
        values.whole(1, 100),
        also=Number,
    ),
    Parameter(
        "lossless",
        "`true`: WebP without loss. PNG and GIF ignore it; JPEG and AVIF refuse it.",
        _BOOLEAN,
        "false",
        boolean,
        also=Truth,
    ),
    Parameter(
        "effort",
        "Encoding time against bytes: `fast`, `balanced`, or `small`, which may take ten times "
        "as long.",
        {"type": "string", "enum": list(formats.EFFORTS)},
        "balanced",
        one_of(*formats.EFFORTS),
    ),
    Parameter(
        "max_bytes",
        "1024 or more: the highest quality, not above `quality`, whose file fits. For JPEG, lossy "
        "WebP and AVIF; other outputs refuse it. The output shows the `quality` used.",
        _string("max_bytes", type=["string", "integer"], minimum=1024, maximum=999_999_999),
        "none",
        values.whole(1024, 999_999_999),
        also=Number,
    ),
    Parameter(
        "metadata",
        "`copyright` keeps creator, copyright and credit line, as fresh EXIF and XMP. Nothing "
        "else is ever kept. GIF holds none.",
        {"type": "string", "enum": ["none", "copyright"]},
        "none",
        one_of("none", "copyright"),
    ),
    Parameter(
        "hdr",
        "`keep`: JPEG output of an Ultra HDR JPEG keeps its gain map, cropped and scaled alike.",
        {"type": "string", "enum": ["drop", "keep"]},
        "drop",
        one_of("drop", "keep"),
    ),
    Parameter(
        "background",
        "`#rrggbb` or `#rrggbbaa`: for padding, and under alpha where the output has none.",
        _string("background", examples=["#ffffff", "#00000000"]),
        "#ffffff",
        values.color,
    ),
    Parameter(
        "strict",
        "`true`: refuse an image with a missing or damaged part. `false`: crop what can be read.",
        _BOOLEAN,
        "false",
        boolean,
        also=Truth,
    ),
)

NAME = Parameter(
    "name",
    "The output's name, unique in the request.",
    _string("name"),
    "its index",
    values.name,
)

OUTPUTS = Parameter(
    "outputs",
    f"A JSON list of 1-{MAX_OUTPUTS} objects with the parameters above and a `name`: many crops "
    "from one upload. Top-level parameters are defaults for each.",
    {"type": "string", "format": "outputs", "contentMediaType": "application/json"},
    "one output",
    str,
)

PRESET = Parameter(
    "preset",
    "A named set of parameters, see `GET /v1/presets`; explicit parameters override. `classic`: "
    "`box=4,20%,150,40%`, `size=300x300`, `fit=stretch`.",
    {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,31}$", "examples": ["classic"]},
    "none",
    str,
)

PARAMETERS = (*CROP_PARAMETERS, OUTPUTS, PRESET)
"""What `parse` accepts at the top level, in the order of docs/reference/http-api.md.

An entry of `outputs` accepts CROP_PARAMETERS and `name`."""
