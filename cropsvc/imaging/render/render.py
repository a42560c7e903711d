"""Decode once, then cut, scale and encode every output that was asked of the upload."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from cropsvc.imaging.attention.decision import Decision
from cropsvc.imaging.formats import CONTENT_TYPES, Encoding, Options
from cropsvc.imaging.geometry.decoding import shrink_for
from cropsvc.imaging.geometry.orientation import Region
from cropsvc.imaging.geometry.validate import check_decoding
from cropsvc.imaging.headers.probe import Source, probe
from cropsvc.imaging.params.model import Crop, CropRequest
from cropsvc.imaging.render.animation import Frames, encode_moving
from cropsvc.imaging.render.color import scalable, source_profile, to_srgb
from cropsvc.imaging.render.credits import NOTHING, Credits, options_for, read_credits
from cropsvc.imaging.render.decode import decode, stored_sides
from cropsvc.imaging.render.encode import Encoded, encode, encoding_of, fitted
from cropsvc.imaging.render.gain_map import GainMaps
from cropsvc.imaging.render.look import Look
from cropsvc.imaging.render.metadata import MISSING_FROM, TRUNCATED, take_metadata
from cropsvc.imaging.render.output_plan import OutputPlan, placed, planned
from cropsvc.imaging.render.pillow_setup import decoding, making
from cropsvc.imaging.render.postprocess import Postprocessor
from cropsvc.imaging.render.pyramid import Pyramid
from cropsvc.imaging.render.resize import cut
from cropsvc.model.errors import CropError, Unreadable
from cropsvc.model.limits import Limits

__all__ = ["CONTENT_TYPES", "Rendered", "render"]

Report = Callable[[str, float], None]
DECODED = 0.4  # of the whole job, once the image is decoded
CUT = 0.4  # of an output's share, once it is cut and scaled


@dataclass(frozen=True)
class Rendered:
    """One output; where `error` is set the rest is empty."""

    name: str
    format: str = ""
    width: int = 0
    height: int = 0
    region: Region = (0, 0, 0, 0)  # as displayed, after `rotate`
    notes: tuple[str, ...] = ()
    data: bytes = b""
    decision: Decision | None = None  # where the image itself placed the region
    quality: int | None = None  # that `max_bytes` left
    error: CropError | None = None


def render(data: bytes, request: CropRequest, limits: Limits, report: Report) -> list[Rendered]:
    """All outputs of one upload, in order; *report* hears stage and fraction, never falling.

    Raises a CropError where no output could be tried.
    """
    report("decoding", 0.0)
    source = probe(data, limits)
    look = Look(data, source)
    plans = [_planned(crop, source, limits, look) for crop in request.outputs]
    tasks = [task for task in plans if isinstance(task, OutputPlan)]
    if not tasks:
        return [one for one in plans if isinstance(one, Rendered)]
    if source.format == "jpeg":
        check_decoding([(task.region, task.sides) for task in tasks], source, limits)
    maker = _Maker(data, source, tasks, limits)
    share = (1 - DECODED) / len(plans)
    rendered = []
    for index, plan in enumerate(plans):
        stage = _Share(report, DECODED + share * index, share)
        rendered.append(_rendered(maker, plan, stage) if isinstance(plan, OutputPlan) else plan)
    return rendered


@dataclass(frozen=True)
class _Share:
    """One output's part of the job's progress."""

    report: Report
    start: float
    length: float

    def __call__(self, stage: str, done: float) -> None:
        self.report(stage, min(1.0, self.start + self.length * done))


def _planned(crop: Crop, source: Source, limits: Limits, look: Look) -> OutputPlan | Rendered:
    try:
        if crop.anchor.method:
            return placed(crop, source, limits, look.placement(crop))
        return planned(crop, source, limits)
    except CropError as error:
        return Rendered(crop.name, error=error)


def _rendered(maker: "_Maker", task: OutputPlan, report: _Share) -> Rendered:
    if task.crop.decision_only:
        plan = task.plan
        return Rendered(
            task.crop.name, task.output, *plan.canvas, plan.region, decision=task.decision
        )
    try:
        with making():
            encoded, found = (maker.moving if task.moves else maker.still)(task, report)
    except CropError as error:
        return Rendered(task.crop.name, error=error)
    said = (*task.plan.notes, *maker.notes(task), *sorted(found))
    said += ("quality-lowered",) * encoded.lowered
    plan = task.plan
    name, decision = task.crop.name, task.decision
    return Rendered(
        name,
        task.output,
        *plan.canvas,
        plan.region,
        said,
        encoded.data,
        decision,
        encoded.quality,
    )


class _Maker:
    """The decoded upload; makes outputs of it."""

    def __init__(
        self, data: bytes, source: Source, tasks: list[OutputPlan], limits: Limits
    ) -> None:
        still = [(task.region, task.sides) for task in tasks if not task.moves]
        stored, is_jpeg = stored_sides(source), source.format == "jpeg"
        shrink = shrink_for(still, stored, limits.pixels) if is_jpeg else 1
        bottom = max((region[1] + region[3] for region, _ in still), default=1)
        first = decode(data, source, shrink=shrink, bottom=bottom)
        self._source = source
        self._data = data
        self._credits: Credits | None = None
        self._gain_maps = GainMaps(data, source, tasks, limits)
        self._has_metadata = take_metadata(first)
        self._truncated = source.cut or bool(first.info.get(TRUNCATED))
        self._frames = Frames(data, source, shared=len(tasks) - len(still) > 1)
        self._left = len(still)
        with decoding():
            self._profile = source_profile(first, data, source)
            ready = scalable(first)
            self._converted = False
            if MISSING_FROM in first.info:
                ready = self._with_clear_rows(ready, first.info[MISSING_FROM])
        self._picture = Pyramid(ready, shrink, shared=len(still) > 1)

    def notes(self, task: OutputPlan) -> tuple[str, ...]:
        """Return what follows from the source alone."""
        lost = self._source.frames > 1 and not task.moves
        return (
            ("animation-flattened",) * lost
            + ("metadata-dropped",) * self._has_metadata
            + ("pages-dropped",) * (self._source.pages > 1)
            + self._gain_maps.notes(task)
            + ("source-truncated",) * self._truncated
            + ("profile-converted",) * self._converted
        )

    def _with_clear_rows(self, image: Image.Image, first: int) -> Image.Image:
        """Return a CMYK image in sRGB, transparent from the row *first* on."""
        image, self._converted = to_srgb(image, self._profile)
        self._profile = None
        image.putalpha(255)
        image.paste((0, 0, 0, 0), (0, first, *image.size))
        return image

    def still(self, task: OutputPlan, report: _Share) -> tuple[Encoded, set[str]]:
        """One image, of the first frame."""
        self._refuse_if_strict(task)
        report("cropping", 0.0)
        self._left -= 1
        finish = Postprocessor(task, self._profile)
        image = self._picture.cut(task.region, task.sides, last=self._left == 0)
        for step in finish.steps():
            image = step(image)
        report("encoding", CUT)
        gains = self._gain_maps.of(task)

        def write(encoding: Encoding) -> bytes:
            if gains is None:
                return encode(image, task.output, encoding, self._kept(task))
            behind = gains.file(encoding)
            kept = self._kept(task, gains.description(len(behind)))
            return gains.behind(encode(image, task.output, encoding, kept), behind)

        crop = task.crop
        asked = encoding_of(crop, task.output)
        return fitted(write, asked, crop.max_bytes), finish.notes

    def moving(self, task: OutputPlan, report: _Share) -> tuple[Encoded, set[str]]:
        """All frames, cut alike."""
        self._refuse_if_strict(task)
        finish = Postprocessor(task, self._profile)
        x, y, width, height = task.region
        count = 0

        def made(frame: Image.Image) -> Image.Image:
            nonlocal count
            report("encoding" if count else "cropping", min(1.0, count / len(self._frames)))
            count += 1
            return finish(cut(frame, (x, y, x + width, y + height), task.sides))

        kept = self._kept(task)

        def write(encoding: Encoding) -> bytes:
            return encode_moving(self._frames, made, task.output, encoding, kept)

        crop = task.crop
        asked = encoding_of(crop, task.output)
        encoded = fitted(write, asked, crop.max_bytes)
        self._truncated = self._truncated or self._frames.truncated
        self._refuse_if_strict(task)
        return encoded, finish.notes

    def _kept(self, task: OutputPlan, more_xmp: str = "") -> Options:
        if task.crop.metadata == "none":
            return options_for(NOTHING, task.output, more_xmp)
        if self._credits is None:
            self._credits = read_credits(self._data, self._source.format)
        return options_for(self._credits, task.output, more_xmp)

    def _refuse_if_strict(self, task: OutputPlan) -> None:
        if task.crop.strict and self._truncated:
            raise Unreadable(
                "a part of the image is missing or damaged; without `strict` the rest is cropped"
            )
