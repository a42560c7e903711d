"""The parsed request for one upload: frozen, hashable, with a canonical JSON form."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from cropsvc.imaging.formats import Effort


@dataclass(frozen=True)
class Length:
    """A distance along one axis: pixels, or percent of that axis."""

    value: Fraction
    percent: bool = False

    def of(self, side: int) -> Fraction:
        """Return this length in pixels, exactly, on an axis that is *side* pixels long."""
        return self.value * side / 100 if self.percent else self.value

    def __str__(self) -> str:
        decimal = (
            Decimal(self.value.numerator) / self.value.denominator
        )  # exact: the parser takes 12 digits
        return f"{decimal:f}{'%' if self.percent else ''}"

    @classmethod
    def read(cls, text: str) -> "Length":
        """Return the length that `str` wrote."""
        return cls(Fraction(text.removesuffix("%")), text.endswith("%"))


@dataclass(frozen=True)
class Box:
    """A rectangle in displayed coordinates, origin top left."""

    x: Length
    y: Length
    width: Length
    height: Length

    def __str__(self) -> str:
        return f"{self.x},{self.y},{self.width},{self.height}"

    @classmethod
    def read(cls, text: str) -> "Box":
        """Return the box that `str` wrote."""
        return cls(*(Length.read(part) for part in text.split(",")))


@dataclass(frozen=True)
class Anchor:
    """Where a smaller region goes: a place in the larger one, or a focal point of the image.

    With a *method* the image itself decides, and x and y count until it has been looked at.
    """

    x: Fraction = Fraction(1, 2)
    y: Fraction = Fraction(1, 2)
    focal: bool = False
    method: str = ""  # smart or face

    def __str__(self) -> str:
        return self.method or f"{self.x},{self.y}{',focal' if self.focal else ''}"

    @classmethod
    def read(cls, text: str) -> "Anchor":
        """Return the anchor that `str` wrote."""
        if "," not in text:
            return cls(method=text)
        x, y, *focal = text.split(",")
        return cls(Fraction(x), Fraction(y), bool(focal))


@dataclass(frozen=True)
class Size:
    """The output's sides in pixels; at most one of them is None."""

    width: int | None
    height: int | None

    def __str__(self) -> str:
        return f"{self.width or ''}x{self.height or ''}"

    @classmethod
    def read(cls, text: str) -> "Size":
        """Return the size that `str` wrote."""
        width, _, height = text.partition("x")
        return cls(int(width) if width else None, int(height) if height else None)


@dataclass(frozen=True)
class Crop:
    """One output: what to cut, how large, in which format. None means the default."""

    name: str = "0"
    box: Box | None = None
    aspect: Fraction | None = None  # width / height
    anchor: Anchor = field(default_factory=Anchor)
    size: Size | None = None
    fit: str | None = None
    enlarge: bool = True
    rotate: Fraction = Fraction(0)  # degrees clockwise, from 0 to less than 360
    format: str = "auto"
    quality: int | None = None
    lossless: bool = False
    effort: Effort = "balanced"
    max_bytes: int | None = None
    metadata: str = "none"
    hdr: str = "drop"
    background: str = "#ffffff"
    strict: bool = False  # refuse an image with a missing or damaged part
    decision_only: bool = False  # no image is made: only where its region would go

    @property
    def quarter(self) -> int:
        """The turn by a right angle: 0, 90, 180 or 270 degrees; 0 if there is a tilt."""
        return 0 if self.tilt else int(self.rotate)

    @property
    def tilt(self) -> float:
        """The turn by any other angle, in degrees; 0 if there is none."""
        return float(self.rotate) if self.rotate % 90 else 0.0


_DEFAULTS = vars(Crop())
_READERS: dict[str, Any] = {
    "box": Box.read,
    "aspect": Fraction,
    "rotate": Fraction,
    "anchor": Anchor.read,
    "size": Size.read,
}


def _plain(crop: Crop) -> dict[str, Any]:
    facts = {k: v for k, v in vars(crop).items() if v != _DEFAULTS[k]}
    return {k: str(v) if k in _READERS and v is not None else v for k, v in facts.items()}


def _crop(facts: dict[str, Any]) -> Crop:
    return Crop(**{k: _READERS[k](v) if k in _READERS and v else v for k, v in facts.items()})


@dataclass(frozen=True)
class CropRequest:
    """The 1-16 outputs requested for one upload."""

    outputs: tuple[Crop, ...]
    listed: bool = field(
        default=False, compare=False
    )  # given as `outputs`; errors name their fields so

    def field(self, index: int, name: str) -> str:
        """Return how the caller wrote parameter *name* of output *index*."""
        return f"outputs[{index}].{name}" if self.listed else name

    def to_json(self) -> str:
        """Return the canonical form: equal requests give equal text."""
        return self._json

    @cached_property
    def _json(self) -> str:  # many uploads are cropped by the same request
        plain = [_plain(crop) for crop in self.outputs]
        return json.dumps(plain, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "CropRequest":
        """Return the request that `to_json` wrote."""
        return cls(tuple(_crop(facts) for facts in json.loads(text)))
