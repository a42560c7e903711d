"""Decode once, then cut, scale and encode every output that was asked of the upload."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from PIL import Image

from cropsvc.errors import CropError
from cropsvc.imaging import formats, notes
from cropsvc.imaging.color import scalable
from cropsvc.imaging.decode import load, open_source, orientation
from cropsvc.imaging.encode import encode
from cropsvc.imaging.finish import finish
from cropsvc.imaging.formats import CONTENT_TYPES
from cropsvc.imaging.geometry import Plan, check_output
from cropsvc.imaging.limits import Limits
from cropsvc.imaging.pillow import decoding, making
from cropsvc.imaging.probe import Source, probe
from cropsvc.imaging.request import Crop, Request
from cropsvc.imaging.scale import cut
from cropsvc.imaging.turn import turn

__all__ = ["CONTENT_TYPES", "Rendered", "render"]

Report = Callable[[str, float], None]
DECODED = 0.4  # of the whole job, once the picture is decoded


@dataclass(frozen=True)
class Rendered:
    """One output; where `error` is set the rest is empty."""

    name: str
    format: str = ""
    width: int = 0
    height: int = 0
    region: tuple[int, int, int, int] = (0, 0, 0, 0)  # as displayed, after `rotate`
    notes: tuple[str, ...] = ()
    data: bytes = b""
    error: CropError | None = None


def render(data: bytes, request: Request, limits: Limits, report: Report) -> list[Rendered]:
    """All outputs of one upload, in order; *report* hears stage and fraction, never falling.

    Raises a CropError where no output could be tried.
    """
    report("decoding", 0.0)
    source = probe(data, limits)
    image = open_source(data, source)
    load(image)
    with decoding():
        base = _Base(source, image, scalable(image), image.info.get("icc_profile"))
    rendered = []
    for index, crop in enumerate(request.outputs):
        share = (1 - DECODED) / len(request.outputs)
        start = DECODED + share * index
        report("cropping", start)
        rendered.append(_one(base, crop, limits, lambda at: report("encoding", at), start, share))
    return rendered


@dataclass(frozen=True)
class _Base:
    source: Source
    image: Image.Image
    scalable: Image.Image
    profile: bytes | None


def _one(
    base: _Base,
    crop: Crop,
    limits: Limits,
    encoding: Callable[[float], None],
    start: float,
    share: float,
) -> Rendered:
    try:
        plan = check_output(crop, base.source, limits)
        with making():
            made = _made(base, crop, plan)
            encoding(start + share / 2)
            output = formats.resolve(crop.format, base.source.format)
            return replace(made[0], data=encode(made[1], output, crop.quality))
    except CropError as error:
        return Rendered(crop.name, error=error)


def _made(base: _Base, crop: Crop, plan: Plan) -> tuple[Rendered, Image.Image]:
    turned = turn(1, crop.rotate).after(orientation(base.source))
    x, y, width, height = turned.stored(plan.region, *base.scalable.size)
    piece = cut(base.scalable, (x, y, x + width, y + height), turned.sides(*plan.scaled))
    output = formats.resolve(crop.format, base.source.format)
    piece, found = finish(
        piece,
        turned,
        base.profile,
        canvas=plan.canvas,
        background=crop.background,
        output=output,
    )
    said = (*plan.notes, *notes.of_source(base.source, base.image, output), *found)
    return Rendered(crop.name, output, *plan.canvas, plan.region, said), piece
