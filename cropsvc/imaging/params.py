"""The parameter table of the API as data, and the one parser that follows it."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cropsvc.errors import BadParameter, FieldError
from cropsvc.imaging import words
from cropsvc.imaging.request import Crop, Request

__all__ = ["PARAMETERS", "PRESETS", "Crop", "Parameter", "Request", "parse"]

MAX_OUTPUTS = 16
FITS = ("cover", "contain", "inside", "stretch")
FORMATS = ("auto", "jpeg", "png", "webp", "avif", "gif")
PRESETS = {"classic": {"box": "4,20%,150,40%", "size": "300x300", "fit": "stretch"}}
SHOWN = 40  # characters of a wrong value that are repeated to the caller


class _Number(str):
    """A number of a JSON document, as it is spelled there."""


class _Truth(str):
    """A boolean of a JSON document, as it is spelled there."""


@dataclass(frozen=True)
class Parameter:
    """One row of the table: the rule as words, as JSON schema, and as a parser of text."""

    name: str
    description: str
    schema: Mapping[str, Any]
    default: str  # in words where it depends on others
    parse: Callable[[str], object]
    also: type = str  # what JSON may hold here beside a string

    def read(self, value: str) -> object:
        """The value of *value*; raises ValueError with words that repeat it, shortened."""
        if type(value) not in (str, self.also):
            raise ValueError(f"must be a string, not {value}")
        try:
            return self.parse(value)
        except ValueError as error:
            shown = value if len(value) <= SHOWN else f"{value[:SHOWN]}..."
            raise ValueError(f"{shown!r}: {error}") from None


def _spelled(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "pattern": words.PATTERNS[name], **more}


CROP_PARAMETERS = (
    Parameter(
        "box",
        "The region to cut: `x,y,width,height`, each a plain decimal number (no exponent, at most "
        "12 characters) in pixels, or with `%` of the image's width or height. In displayed "
        "coordinates, origin top left; x and y may be negative. Edges round half up; what lies "
        "outside the image is clamped and noted.",
        _spelled("box", examples=["4,20%,150,40%", "100,50,640,480"]),
        "whole image",
        words.box,
    ),
    Parameter(
        "aspect",
        "The region's ratio, `16:9` or `1.5`. Without `box`: the largest region of that ratio, "
        "placed by `anchor`. With `box`: the smallest region of that ratio that contains the box, "
        "inside the image; if it does not fit, the largest that does.",
        _spelled("aspect", type=["string", "number"], examples=["16:9", "1:1", "1.5"]),
        "none",
        words.aspect,
        also=_Number,
    ),
    Parameter(
        "anchor",
        "Where the region goes in what is cut: a place, or a focal point of the image as fractions "
        "of its width and height (`0.3,0.7`).",
        _spelled("anchor", examples=[*words.ANCHORS, "0.3,0.7"]),
        "center",
        words.anchor,
    ),
    Parameter(
        "size",
        "The output's size in pixels: `300x300`, `300x` or `x300`; one side alone keeps the "
        "region's ratio.",
        _spelled("size", examples=["300x300", "300x", "x300"]),
        "the region's own",
        words.size,
    ),
    Parameter(
        "fit",
        "Where `size` has both sides: `cover` fills and cuts what sticks out, `contain` shows the "
        "whole region and pads with `background`, `inside` shows the whole region without padding, "
        "`stretch` distorts.",
        {"type": "string", "enum": list(FITS)},
        "stretch with box and no aspect, else cover",
        words.one_of(*FITS),
    ),
    Parameter(
        "enlarge",
        "`false`: the result is never scaled up.",
        {"type": ["string", "boolean"], "enum": ["true", "false", True, False]},
        "true",
        words.boolean,
        also=_Truth,
    ),
    Parameter(
        "rotate",
        "Degrees clockwise, before the box is applied.",
        {"type": ["string", "integer"], "enum": ["0", "90", "180", "270", 0, 90, 180, 270]},
        "0",
        words.turn,
        also=_Number,
    ),
    Parameter(
        "format",
        "The output's format; `auto` is the source's, PNG for BMP and TIFF, JPEG for MPO.",
        {"type": "string", "enum": list(FORMATS)},
        "auto",
        words.one_of(*FORMATS),
    ),
    Parameter(
        "quality",
        "1 to 100; no effect on PNG and GIF.",
        _spelled("quality", type=["string", "integer"], minimum=1, maximum=100),
        "82, AVIF 60",
        words.whole(1, 100),
        also=_Number,
    ),
    Parameter(
        "background",
        "`#rrggbb` or `#rrggbbaa`: for padding, and under alpha where the output has none.",
        _spelled("background", examples=["#ffffff", "#00000000"]),
        "#ffffff",
        words.color,
    ),
)

NAME = Parameter(
    "name",
    "The output's name, unique in the request.",
    _spelled("name"),
    "its index",
    words.name,
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
    "`classic`: `box=4,20%,150,40%`, `size=300x300`, `fit=stretch`; explicit parameters override.",
    {"type": "string", "enum": list(PRESETS)},
    "none",
    words.one_of(*PRESETS),
)

PARAMETERS = (*CROP_PARAMETERS, OUTPUTS, PRESET)
"""What `parse` knows at the top level, in api.md's order; an entry of `outputs` knows the
first ten and `name`."""

_TOP = {p.name: p for p in (*CROP_PARAMETERS, PRESET)}
_ENTRY = {p.name: p for p in (*CROP_PARAMETERS, NAME)}


def parse(pairs: Iterable[tuple[str, object]], *, ignore_unknown: bool = False) -> Request:
    """The request that *pairs* of names and values spell, from query, form, JSON or Celery.

    Values are strings, or numbers and booleans where natural; `outputs` is JSON text or a list.
    Raises BadParameter naming every wrong field (`outputs[2].box`).
    """
    found = list(pairs)
    if ignore_unknown:
        found = [(name, value) for name, value in found if name in _TOP or name == OUTPUTS.name]
    wrong: list[FieldError] = []
    listed = [value for name, value in found if name == OUTPUTS.name]
    top = _read([(n, v) for n, v in found if n != OUTPUTS.name], _TOP, "", wrong)
    preset = _preset(top.pop("preset", None))
    entries = _entries(listed, wrong)
    crops = [
        _read(entry, _ENTRY, f"outputs[{index}].", wrong) for index, entry in enumerate(entries)
    ]
    named = _named(crops, wrong) if listed else [{}]
    if wrong:
        raise BadParameter.of(*wrong)
    return Request(tuple(Crop(**{**preset, **top, **crop}) for crop in named), listed=bool(listed))


def _preset(name: Any) -> dict[str, Any]:
    return {key: _TOP[key].read(text) for key, text in PRESETS.get(name, {}).items()}


def _read(
    pairs: list[tuple[str, object]],
    known: Mapping[str, Parameter],
    prefix: str,
    wrong: list[FieldError],
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    seen: set[str] = set()
    for name, value in pairs:
        try:
            parameter = _known(name, known, seen)
            values[name] = parameter.read(_text(value))
        except ValueError as error:
            wrong.append(FieldError(f"{prefix}{name[:SHOWN]}", str(error)))
    return values


def _known(name: str, known: Mapping[str, Parameter], seen: set[str]) -> Parameter:
    if name not in known:
        raise ValueError(f"unknown parameter; known are {', '.join(known)}")
    if name in seen:
        raise ValueError("given more than once")
    seen.add(name)
    return known[name]


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return _Truth("true" if value else "false")
        case int() if abs(value) < 10**words.LONGEST_NUMBER:
            return _Number(value)
        case float():
            return _Number(repr(value))
    raise ValueError(f"must be a string, not {_kind(value)}")


def _kind(value: object) -> str:
    kinds = {
        dict: "an object",
        tuple: "an object",
        list: "a list",
        type(None): "null",
        int: "a number so large",
        str: "a string",
        _Number: "a number",
    }
    return kinds.get(type(value), type(value).__name__)


def _entries(listed: list[object], wrong: list[FieldError]) -> list[list[tuple[str, object]]]:
    try:
        if len(listed) > 1:
            raise ValueError("given more than once")
        return [_pairs(entry) for value in listed for entry in _list(value)]
    except ValueError as error:
        wrong.append(FieldError(OUTPUTS.name, str(error)))
        return []


def _list(value: object) -> list[object]:
    parsed = _json(value) if isinstance(value, str) else value
    if not isinstance(parsed, list) or not 1 <= len(parsed) <= MAX_OUTPUTS:
        raise ValueError(f"must be a JSON list of 1 to {MAX_OUTPUTS} objects")
    return parsed


def _json(text: str) -> object:
    try:
        return json.loads(
            text,
            parse_float=_Number,
            parse_int=_Number,
            parse_constant=_Number,
            object_pairs_hook=tuple,  # repeated names must not get lost in a dict
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error}") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _pairs(entry: object) -> list[tuple[str, object]]:
    if isinstance(entry, dict):
        return [(str(name), value) for name, value in entry.items()]
    if isinstance(entry, tuple):
        return list(entry)
    raise ValueError(f"every entry must be an object, not {_kind(entry)}")


def _named(crops: list[dict[str, Any]], wrong: list[FieldError]) -> list[dict[str, Any]]:
    named = [{"name": str(index), **crop} for index, crop in enumerate(crops)]
    seen: set[str] = set()
    for index, crop in enumerate(named):
        if crop["name"] in seen:
            wrong.append(FieldError(f"outputs[{index}].name", f"{crop['name']!r} is taken"))
        seen.add(crop["name"])
    return named
