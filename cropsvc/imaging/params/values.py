"""Parsers of one parameter's text. Each raises ValueError with a message for the caller.

All text is ASCII and has one form: no blanks, exponents, plus signs, NaN or infinities.
"""

import re
from collections.abc import Callable
from fractions import Fraction

from cropsvc.imaging.params.model import Anchor, Box, Length, Size

LONGEST_NUMBER = 12  # characters
LARGEST_SIZE_DIGITS = 5
ANCHORS = {
    "center": (1, 1),
    "top": (1, 0),
    "bottom": (1, 2),
    "left": (0, 1),
    "right": (2, 1),
    "top-left": (0, 0),
    "top-right": (2, 0),
    "bottom-left": (0, 2),
    "bottom-right": (2, 2),
}  # halves of the width and of the height
METHODS = ("smart", "face")  # anchors that look at the image

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

# What the parsers below accept, as ECMA 262 patterns for the OpenAPI document.
_SHORT = f"(?![-0-9.]{{{LONGEST_NUMBER + 1}}})"
_PLAIN = rf"{_SHORT}[0-9]+(\.[0-9]+)?"
_OFFSET = rf"{_SHORT}-?[0-9]+(\.[0-9]+)?%?"
_LENGTH = rf"(?!0+(\.0+)?%?(,|$)){_PLAIN}%?"
_RATIO = rf"(?!0+(\.0+)?(:|$)){_PLAIN}"
_FRACTION = rf"{_SHORT}(-?0+(\.0+)?|0+\.[0-9]+|0*1(\.0+)?)"
_SIDE = f"(?!0+(x|$))[0-9]{{1,{LARGEST_SIZE_DIGITS}}}"
PATTERNS = {
    "box": f"^{_OFFSET},{_OFFSET},{_LENGTH},{_LENGTH}$",
    "aspect": f"^{_RATIO}(:{_RATIO})?$",
    "anchor": f"^({'|'.join([*ANCHORS, *METHODS])}|{_FRACTION},{_FRACTION})$",
    "size": f"^({_SIDE}x({_SIDE})?|x{_SIDE})$",
    "quality": "^(?![0-9]{10})0*([1-9][0-9]?|100)$",
    "max_bytes": "^(?![0-9]{10})0*([1-9][0-9]{4,8}|[2-9][0-9]{3}|1[1-9][0-9]{2}|10[3-9][0-9]|"
    "102[4-9])$",
    "background": "^#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})$",
    "rotate": rf"^{_SHORT}-?0*(360(\.0+)?|(3[0-5][0-9]|[12]?[0-9]?[0-9])(\.[0-9]{{1,2}}0*)?)$",
    "name": "^[a-z0-9-]{1,32}$",
}


def number(text: str) -> Fraction:
    """Parse a plain decimal number."""
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number has at most {LONGEST_NUMBER} characters, not {len(text)}")
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} must be a plain decimal number, for example 12 or 0.5")
    return Fraction(text)


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from *low* to *high*."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def turn(text: str) -> Fraction:
    """Parse a clockwise rotation in degrees, and return it from 0 to less than 360."""
    degrees = number(text)
    if not -360 <= degrees <= 360 or (degrees * 100).denominator != 1:
        raise ValueError("must be degrees from -360 to 360, with at most two decimals")
    return degrees % 360


def color(text: str) -> str:
    """Parse `#rrggbb` or `#rrggbbaa` and return it in lower case."""
    if not re.fullmatch(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})", text):
        raise ValueError("must be #rrggbb or #rrggbbaa")
    return text.lower()


def _length(text: str) -> Length:
    return Length(number(text.removesuffix("%")), text.endswith("%"))


def box(text: str) -> Box:
    """Parse `x,y,width,height`, each in pixels or percent."""
    parts = text.split(",", 4)
    if len(parts) != 4:
        raise ValueError("must be x,y,width,height")
    parsed = Box(*map(_length, parts))
    for side in ("width", "height"):
        if getattr(parsed, side).value <= 0:
            raise ValueError(f"{side} must be more than 0, not {getattr(parsed, side)}")
    return parsed


def aspect(text: str) -> Fraction:
    """Parse `16:9` or `1.5` and return width / height."""
    parts = text.split(":", 2)
    if len(parts) > 2:
        raise ValueError("must be a ratio, for example 16:9 or 1.5")
    sides = [number(part) for part in parts]
    if min(sides) <= 0:
        raise ValueError("must be more than 0")
    return sides[0] / sides[-1] if len(sides) == 2 else sides[0]


def anchor(text: str) -> Anchor:
    """Parse a named place, a method, or a focal point `0.3,0.7`."""
    if text in METHODS:
        return Anchor(method=text)
    if text in ANCHORS:
        x, y = ANCHORS[text]
        return Anchor(Fraction(x, 2), Fraction(y, 2))
    parts = text.split(",", 2)
    if len(parts) != 2:
        raise ValueError(
            f"must be one of {', '.join([*ANCHORS, *METHODS])}, or a focal point, for example "
            "0.3,0.7"
        )
    across, down = map(number, parts)
    if not (0 <= across <= 1 and 0 <= down <= 1):
        raise ValueError("a focal point's numbers must be from 0 to 1")
    return Anchor(across, down, focal=True)


def size(text: str) -> Size:
    """Parse `300x300`, `300x` or `x300`, in pixels."""
    digits = f"[0-9]{{1,{LARGEST_SIZE_DIGITS}}}"
    match = re.fullmatch(f"({digits})?x({digits})?", text)
    if not match or not (match[1] or match[2]):
        raise ValueError(f"must be 300x300, 300x or x300, with up to {LARGEST_SIZE_DIGITS} digits")
    sides = [int(side) if side else None for side in match.groups()]
    if 0 in sides:
        raise ValueError("a side must be more than 0")
    return Size(*sides)


def name(text: str) -> str:
    """Parse an output's name."""
    if not re.fullmatch(r"[a-z0-9-]{1,32}", text):
        raise ValueError("must be 1 to 32 characters of a-z, 0-9 and -")
    return text
