"""Refuse at submit what cannot be done with this source, and name the field."""

from collections.abc import Sequence

from cropsvc.imaging import formats
from cropsvc.imaging.geometry.crop_plan import Place, Plan, plan, plan_with, tilted_part
from cropsvc.imaging.geometry.decoding import Need, decoded_pixels
from cropsvc.imaging.geometry.orientation import Sides, turn
from cropsvc.imaging.geometry.straighten import Tilt
from cropsvc.imaging.headers.probe import Source
from cropsvc.imaging.params.checks import check_encoding, check_extras, check_size
from cropsvc.imaging.params.model import Crop, CropRequest
from cropsvc.model.errors import BadParameter, CropError, FieldError, TooComplex, TooManyPixels
from cropsvc.model.limits import Limits

__all__ = ["Plan", "check", "check_output", "plan"]


def check(request: CropRequest, source: Source, limits: Limits) -> None:
    """Refuse a request that cannot be done with this source.

    Raises BoxOutside, BadParameter or TooManyPixels. One error has one kind: BadParameter if
    there is one, else the kind found first. Its fields name every output wrong in that way.
    """
    errors: list[CropError] = []
    needs: list[Need] = []
    for index, crop in enumerate(request.outputs):
        try:
            check_extras(crop)
            needs.append(_need(crop, check_output(crop, source, limits), source))
        except CropError as error:
            fields = [FieldError(request.field(index, e.field), e.detail) for e in error.errors]
            errors.append(type(error)(error.detail, errors=fields))
    if errors:
        raise _joined(errors)
    if source.format == "jpeg":
        check_decoding(needs, source, limits)


def check_decoding(needs: Sequence[Need], source: Source, limits: Limits) -> None:
    """Refuse outputs for which too much of a JPEG would have to be decoded. Raises TooManyPixels.

    Its decoder makes the image smaller by 2, 4 or 8, and stops at the last row that is needed.
    """
    stored = turn(source.orientation, 0).sides(source.width, source.height)
    pixels = decoded_pixels(needs, stored, limits.pixels)
    if pixels > limits.pixels:
        raise _too_large(
            f"{pixels:,} pixels of this {source.width}x{source.height} JPEG would have to be "
            f"decoded; at most {limits.pixels:,} are allowed; ask for a smaller `size`, or for a "
            "region nearer to the top"
        )


def _need(crop: Crop, planned: Plan, source: Source) -> Need:
    region, scaled = planned.region, planned.scaled
    if crop.tilt:
        region, scaled = tilted_part(planned, Tilt(crop.tilt, (source.width, source.height)))
    turned = turn(1, crop.quarter).after(turn(source.orientation, 0))
    stored = turn(source.orientation, 0).sides(source.width, source.height)
    return turned.stored(region, *stored), turned.sides(*scaled)


def _joined(errors: list[CropError]) -> CropError:
    worst = next((e for e in errors if isinstance(e, BadParameter)), errors[0])
    same = [e for e in errors if type(e) is type(worst)]
    fields = [field for e in same for field in e.errors]
    return (
        BadParameter.of(*fields)
        if isinstance(worst, BadParameter)
        else type(worst)(worst.detail, errors=fields)
    )


def check_output(crop: Crop, source: Source, limits: Limits, place: Place | None = None) -> Plan:
    """Return the plan for one output; *place* decides where an anchor's method puts it.

    Raises what `check` raises; its `errors` name the field.
    """
    check_size(crop, limits)
    sides = source.width, source.height
    planned = plan_with(crop, *sides, place) if place else plan(crop, *sides)
    output = formats.resolve(crop.format, source.format)
    check_encoding(crop, output)
    _check_canvas(planned.canvas, output, limits)
    if source.animated and formats.OUTPUTS[output].animation and not crop.decision_only:
        _check_frames(source, limits)
    return planned


def _check_frames(source: Source, limits: Limits) -> None:
    """Refuse an animation of which too much would have to be decoded: all frames count."""
    frames, width, height = source.frames, source.width, source.height
    cure = "ask for `format=jpeg`, which takes the first frame only"
    if frames > limits.frames:
        detail = f"the animation has {frames:,} frames; at most {limits.frames:,} are allowed"
        raise TooComplex(f"{detail}; {cure}", errors=[FieldError("format", detail)])
    pixels = width * height * frames
    if pixels > limits.pixels:
        detail = (
            f"{width}x{height} pixels in {frames} frames are {pixels:,} pixels; at most "
            f"{limits.pixels:,} are allowed"
        )
        raise TooManyPixels(f"{detail}; {cure}", errors=[FieldError("format", detail)])


def _check_canvas(canvas: Sides, output: str, limits: Limits) -> None:
    row = formats.OUTPUTS[output]
    longest = min(limits.side, row.longest_side or limits.side)
    if max(canvas) > longest:
        holder = row.label if longest < limits.side else "an output"
        raise _too_large(
            f"the output would be {canvas[0]}x{canvas[1]} pixels; {holder} can have at most "
            f"{longest} per side; ask for a smaller `size`"
        )


def _too_large(detail: str) -> TooManyPixels:
    return TooManyPixels(detail, errors=[FieldError("size", detail)])
