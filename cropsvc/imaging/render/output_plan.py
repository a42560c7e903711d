"""One output, planned: what to cut from the stored image and what to make of it."""

from dataclasses import dataclass, replace

from cropsvc.imaging import formats
from cropsvc.imaging.attention.decision import Decision
from cropsvc.imaging.attention.placement import Placement
from cropsvc.imaging.geometry.crop_plan import Point
from cropsvc.imaging.geometry.orientation import Orientation, Region, Sides, turn
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
    turned = turn(1, crop.rotate).after(orientation(source))
    output = formats.resolve(crop.format, source.format)
    return OutputPlan(
        crop,
        plan,
        output,
        turned,
        turned.stored(plan.region, *stored_sides(source)),
        turned.sides(*plan.scaled),
        source.animated and formats.OUTPUTS[output].animation,
    )
