"""One output, planned: what to cut from the stored image and what to make of it."""

from dataclasses import dataclass, replace

from cropsvc.imaging import formats
from cropsvc.imaging.attention.decision import Decision
from cropsvc.imaging.attention.placement import Placement
from cropsvc.imaging.geometry.crop_plan import Point, tilted_part
from cropsvc.imaging.geometry.orientation import Orientation, Region, Sides, turn
from cropsvc.imaging.geometry.straighten import Tilt
from cropsvc.imaging.geometry.validate import Plan, check_output
from cropsvc.imaging.headers.probe import Source
from cropsvc.imaging.params.model import Crop
from cropsvc.imaging.render.decode import orientation, stored_sides
from cropsvc.model.limits import Limits

NOTHING_TO_PLACE = Decision("center", (), "the region is the whole image or the box")


@dataclass(frozen=True)
class OutputPlan:
    """What one output needs; `region` and `sides` as the image is stored."""

    crop: Crop
    plan: Plan
    output: str  # the format
    turn: Orientation
    tilt: Tilt | None  # by which the cut part is turned afterwards
    region: Region
    sides: Sides
    moves: bool  # all frames of an animation, not the first one only
    decision: Decision | None = None  # how the region was placed, if the image decided


def placed(crop: Crop, source: Source, limits: Limits, placement: Placement) -> OutputPlan:
    """Return the task of one output that the image itself places."""
    decisions = [NOTHING_TO_PLACE]

    def place(sides: Sides, within: Region) -> Point:
        point, decision = placement.centre(crop.anchor.method, sides, within)
        decisions.append(decision)
        return point

    task = _task(crop, source, check_output(crop, source, limits, place))
    return replace(task, decision=decisions[-1])


def planned(crop: Crop, source: Source, limits: Limits) -> OutputPlan:
    """Return the task of one output. Raises what `geometry.check` raises."""
    return _task(crop, source, check_output(crop, source, limits))


def _task(crop: Crop, source: Source, plan: Plan) -> OutputPlan:
    turned = turn(1, crop.quarter).after(orientation(source))
    output = formats.resolve(crop.format, source.format)
    tilt = Tilt(crop.tilt, (source.width, source.height)) if crop.tilt else None
    part, scaled = tilted_part(plan, tilt) if tilt else (plan.region, plan.scaled)
    return OutputPlan(
        crop,
        plan,
        output,
        turned,
        tilt,
        turned.stored(part, *stored_sides(source)),
        turned.sides(*scaled),
        source.animated and formats.OUTPUTS[output].animation,
    )
