"""Turn box, aspect, anchor, size and fit into a region and an output size, in exact fractions.

No image is needed, only its sides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import floor

from cropsvc.imaging.geometry.orientation import Region, Sides, turn
from cropsvc.imaging.geometry.straighten import Tilt
from cropsvc.imaging.params.model import Anchor, Box, Crop
from cropsvc.model.errors import BoxOutside, FieldError

HALF = Fraction(1, 2)
Point = tuple[float, float]
Place = Callable[[Sides, Region], Point]
"""The centre of the best region of these sides within another, as the image itself decides."""


@dataclass(frozen=True)
class Plan:
    """What to cut and how large it becomes; coordinates as displayed, after `rotate`."""

    region: Region
    scaled: Sides  # the region's sides in the output
    canvas: Sides  # the output's sides; larger than `scaled` where it is padded
    notes: tuple[str, ...]


@lru_cache(maxsize=64)  # many uploads are of the same size and cropped alike
def plan(crop: Crop, width: int, height: int) -> Plan:
    """Return the plan for *crop* of an image that is displayed at *width* x *height* pixels.

    Raises BoxOutside if no pixel of the box is inside the image.
    """
    return plan_with(crop, width, height, None)


def plan_with(crop: Crop, width: int, height: int, place: Place | None) -> Plan:
    """Return the same, where *place* decides if the anchor is a method."""
    width, height = frame_of(crop, width, height)
    region, clamped = _boxed(crop.box, width, height)
    putter = _Putter(crop.anchor, (width, height), place if crop.anchor.method else None)
    if crop.aspect:
        region = _with_aspect(crop, region, putter)
    region, scaled, canvas = _fitted(crop, region, putter)
    enlarged = scaled[0] > region[2] or scaled[1] > region[3]
    notes = ("clamped",) * clamped + ("enlarged",) * enlarged
    return Plan(region, scaled, canvas, notes)


def frame_of(crop: Crop, width: int, height: int) -> Sides:
    """Return the sides that boxes, percentages and anchors refer to: those after `rotate`."""
    if crop.tilt:
        return Tilt(crop.tilt, (width, height)).frame
    return turn(1, crop.quarter).sides(width, height)


def tilted_part(plan: Plan, tilt: Tilt) -> tuple[Region, Sides]:
    """Return what to cut for a tilted region, and its sides: made smaller, but never larger.

    So that the image is resampled once where it is not made smaller. The filter that turns it
    would skip pixels where it is.
    """
    part = tilt.bounds(plan.region)
    ratio = min(plan.region[2] / plan.scaled[0], plan.region[3] / plan.scaled[1])
    if ratio <= 1:
        return part, part[2:]
    return part, (max(1, round(part[2] / ratio)), max(1, round(part[3] / ratio)))


def _round(value: Fraction) -> int:
    """Round half up."""
    return floor(value + HALF)


def _boxed(box: Box | None, width: int, height: int) -> tuple[Region, bool]:
    """Return the box in whole pixels inside the image, and whether it had to be clamped."""
    if box is None:
        return (0, 0, width, height), False
    x, y = box.x.of(width), box.y.of(height)
    left, right = _round(x), _round(x + box.width.of(width))
    top, bottom = _round(y), _round(y + box.height.of(height))
    if right <= left or bottom <= top:
        raise _outside(
            f"the box {box} is smaller than one pixel after rounding; make it at least 1x1 pixel"
        )
    inside = (max(left, 0), max(top, 0), min(right, width), min(bottom, height))
    if inside[2] <= inside[0] or inside[3] <= inside[1]:
        raise _outside(
            f"the box {right - left}x{bottom - top} at ({left}, {top}) is outside the "
            f"{width}x{height} image; move it so that it overlaps the image"
        )
    region = (inside[0], inside[1], inside[2] - inside[0], inside[3] - inside[1])
    return region, inside != (left, top, right, bottom)


def _outside(detail: str) -> BoxOutside:
    return BoxOutside(detail, errors=[FieldError("box", detail)])


def _largest(width: int, height: int, ratio: Fraction) -> Sides:
    """Return the largest sides of this ratio within *width* x *height*, at least one pixel each."""
    if width > height * ratio:
        return max(1, _round(height * ratio)), height
    return width, max(1, _round(width / ratio))


@dataclass(frozen=True)
class _Putter:
    """Places smaller regions: by the anchor, or as the image decides."""

    anchor: Anchor
    image: Sides
    place: Place | None

    def put(self, sides: Sides, within: Region) -> Region:
        if sides == within[2:]:
            return within
        if self.place:
            x, y = self.place(sides, within)
            return _around((Fraction(x), Fraction(y)), sides, within)
        return _placed(sides, within, self.anchor, self.image)


def _with_aspect(crop: Crop, region: Region, putter: _Putter) -> Region:
    ratio, image = crop.aspect or Fraction(1), putter.image
    if crop.box is None:
        return putter.put(_largest(*image, ratio), (0, 0, *image))
    x, y, width, height = region
    grown = (
        (_round(height * ratio), height)
        if width < height * ratio
        else (width, _round(width / ratio))
    )
    if grown[0] > image[0] or grown[1] > image[1]:
        grown = _largest(*image, ratio)
    grown = (max(1, grown[0]), max(1, grown[1]))
    centre = (x + Fraction(width, 2), y + Fraction(height, 2))
    return _around(centre, grown, (0, 0, *image))


def _around(point: tuple[Fraction, Fraction], sides: Sides, within: Region) -> Region:
    """Return the region of these sides, centred on *point* as closely as *within* allows."""
    x = _round(point[0] - Fraction(sides[0], 2))
    y = _round(point[1] - Fraction(sides[1], 2))
    x = min(max(x, within[0]), within[0] + within[2] - sides[0])
    y = min(max(y, within[1]), within[1] + within[3] - sides[1])
    return (x, y, *sides)


def _placed(sides: Sides, within: Region, anchor: Anchor, image: Sides) -> Region:
    """Place sides: a named anchor refers to the region *within*, a focal point to the image."""
    x, y, width, height = (0, 0, *image) if anchor.focal else within
    return _around((x + anchor.x * width, y + anchor.y * height), sides, within)


def _fitted(crop: Crop, region: Region, putter: _Putter) -> tuple[Region, Sides, Sides]:
    """Return the region after `cover`'s cut, its sides in the output, and the output's sides."""
    own = region[2:]
    if crop.size is None:
        return region, own, own
    if crop.size.width is None or crop.size.height is None:
        sides = _one_side(crop, own)
        return region, sides, sides
    asked = (crop.size.width, crop.size.height)
    fit = crop.fit or ("stretch" if crop.box and not crop.aspect else "cover")
    if fit == "cover":
        cut = putter.put(_largest(*own, Fraction(*asked)), region)
        sides = asked if crop.enlarge else _shrunk(asked, cut[2:])
        return cut, sides, sides
    if fit == "stretch":
        sides = asked if crop.enlarge else (min(asked[0], own[0]), min(asked[1], own[1]))
        return region, sides, sides
    sides = _within(own, asked, crop.enlarge)
    return region, sides, asked if fit == "contain" else sides


def _one_side(crop: Crop, own: Sides) -> Sides:
    width, height = (crop.size.width, crop.size.height) if crop.size else (None, None)
    scale = Fraction(width, own[0]) if width else Fraction(height or 1, own[1])
    if scale > 1 and not crop.enlarge:
        return own
    return width or max(1, _round(own[0] * scale)), height or max(1, _round(own[1] * scale))


def _within(own: Sides, asked: Sides, enlarge: bool) -> Sides:
    """Return the largest sides at the region's ratio within the asked ones."""
    scale = min(Fraction(asked[0], own[0]), Fraction(asked[1], own[1]))
    scale = scale if enlarge else min(scale, Fraction(1))
    return max(1, _round(own[0] * scale)), max(1, _round(own[1] * scale))


def _shrunk(asked: Sides, cut: Sides) -> Sides:
    """Return the asked sides, scaled down at their ratio to fit in the cut region."""
    scale = min(Fraction(1), Fraction(cut[0], asked[0]), Fraction(cut[1], asked[1]))
    sides = (max(1, _round(asked[0] * scale)), max(1, _round(asked[1] * scale)))
    return min(sides[0], cut[0]), min(sides[1], cut[1])
