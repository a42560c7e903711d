"""One output, planned: what to cut from the stored image and what to make of it."""

from dataclasses import dataclass

from cropsvc.imaging import formats
from cropsvc.imaging.geometry.orientation import Orientation, Region, Sides, turn
from cropsvc.imaging.geometry.validate import Plan, check_output
from cropsvc.imaging.headers.probe import Source
from cropsvc.imaging.params.model import Crop
from cropsvc.imaging.render.decode import orientation, stored_sides
from cropsvc.model.limits import Limits


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


def planned(crop: Crop, source: Source, limits: Limits) -> OutputPlan:
    """Return the task of one output. Raises what `geometry.check` raises."""
    plan = check_output(crop, source, limits)
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
