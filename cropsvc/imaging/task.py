"""One output, planned: what to cut from the stored picture and what to make of it."""

from dataclasses import dataclass

from cropsvc.imaging import formats
from cropsvc.imaging.decode import orientation, stored_sides
from cropsvc.imaging.geometry import Plan, check_output
from cropsvc.imaging.probe import Source
from cropsvc.imaging.request import Crop
from cropsvc.imaging.turn import Region, Sides, Turn, turn
from cropsvc.model.limits import Limits


@dataclass(frozen=True)
class Task:
    """What one output needs; `region` and `sides` as the picture is stored."""

    crop: Crop
    plan: Plan
    output: str  # the format
    turn: Turn
    region: Region
    sides: Sides
    moves: bool  # all frames of an animation, not the first one only


def planned(crop: Crop, source: Source, limits: Limits) -> Task:
    """The task of one output; raises what `geometry.check` raises."""
    plan = check_output(crop, source, limits)
    turned = turn(1, crop.rotate).after(orientation(source))
    output = formats.resolve(crop.format, source.format)
    return Task(
        crop,
        plan,
        output,
        turned,
        turned.stored(plan.region, *stored_sides(source)),
        turned.sides(*plan.scaled),
        source.animated and output in formats.MOVING,
    )
