"""A gain map cut, turned and scaled like its image."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from PIL import Image

from cropsvc.imaging.geometry.decoding import Need, decoded_pixels, shrink_for
from cropsvc.imaging.geometry.orientation import Sides
from cropsvc.imaging.headers.gain_map import GainMap, Range, find_gain_map
from cropsvc.imaging.headers.model import GAIN_MAP_NOTE, broken
from cropsvc.imaging.headers.probe import Source
from cropsvc.imaging.render.decode import stored_sides
from cropsvc.imaging.render.gain_map_file import CutMap
from cropsvc.imaging.render.jpeg import decode_sound_jpeg
from cropsvc.imaging.render.output_plan import OutputPlan
from cropsvc.imaging.render.pillow_setup import decoding, making
from cropsvc.imaging.render.postprocess import TRANSPOSES, straightened
from cropsvc.imaging.render.resize import Box, cut
from cropsvc.model.errors import CropError
from cropsvc.model.limits import Limits

LARGEST_PROFILE = 60_000  # bytes that fit into one segment


@dataclass(frozen=True)
class _Part:
    """What an output needs of a map: a box in it, and the sides at which it is written."""

    box: Box
    sides: Sides

    @property
    def need(self) -> Need:
        """The box in whole pixels, and the sides."""
        left, top, right, bottom = self.box
        return (int(left), int(top), ceil(right - left), ceil(bottom - top)), self.sides


class GainMaps:
    """The gain map of an upload, for the outputs that are to keep it. No output fails for it.

    It is decoded once. Its pixels count with the image's, so that the pair stays in the limits.
    """

    def __init__(
        self, data: bytes, source: Source, tasks: Sequence[OutputPlan], limits: Limits
    ) -> None:
        self._data, self._source, self._tasks, self._limits = data, source, tasks, limits
        self._decoded: _Decoded | None = None
        self._looked_for = False
        self._kept = set[str]()  # names of outputs

    def of(self, task: OutputPlan) -> CutMap | None:
        """Return the map for an output; None if it is not asked for, missing, or not usable."""
        if not self._wanted(task):
            return None
        if not self._looked_for:
            self._looked_for = True
            self._decoded = self._usable()
        if self._decoded is None:
            return None
        try:
            with making():
                image = self._decoded.cut(task, self._shares(self._decoded.found))
        except CropError:
            return None
        self._kept.add(task.crop.name)
        return CutMap(image, self._decoded.found, self._decoded.profile)

    def notes(self, task: OutputPlan) -> tuple[str, ...]:
        """Return what of the source is dropped, once the output was made."""
        kept = task.crop.name in self._kept
        return tuple(note for note in self._source.dropped if not kept or note != GAIN_MAP_NOTE)

    def _wanted(self, task: OutputPlan) -> bool:
        of_jpeg = self._source.format == "jpeg" and self._source.has_gain_map
        return of_jpeg and task.crop.hdr == "keep" and task.output == "jpeg"

    def _shares(self, found: GainMap) -> tuple[float, float]:
        stored = stored_sides(self._source)
        return found.width / stored[0], found.height / stored[1]

    def _usable(self) -> "_Decoded | None":
        """Return the decoded map; None if there is none, or one that cannot be decoded."""
        found = find_gain_map(self._data, self._limits.scans)
        if found is None or not self._fits(found):
            return None
        try:
            return _Decoded.of(found, self._needs(found), self._limits.pixels)
        except CropError:
            return None

    def _needs(self, found: GainMap) -> list[Need]:
        shares = self._shares(found)
        return [_part(task, shares).need for task in self._tasks if self._wanted(task)]

    def _fits(self, found: GainMap) -> bool:
        """Whether the map, no larger than its image, can be decoded beside it."""
        stored = stored_sides(self._source)
        whole = found.width * found.height
        if whole > stored[0] * stored[1]:
            return False
        # A progressive JPEG is held as a whole, however small it is decoded.
        sides = found.width, found.height
        most = self._limits.pixels
        pixels = whole if found.progressive else decoded_pixels(self._needs(found), sides, most)
        beside = [(task.region, task.sides) for task in self._tasks if not task.moves]
        return pixels + decoded_pixels(beside, stored, most) <= most


@dataclass(frozen=True)
class _Decoded:
    """A map's pixels at 1/*shrink* of its sides, and its colour profile."""

    found: GainMap
    image: Image.Image
    shrink: int
    profile: bytes

    @classmethod
    def of(cls, found: GainMap, needs: Sequence[Need], most: int) -> "_Decoded":
        """Decode what is needed of a map, of at most *most* pixels. Raises what decoding raises."""
        shrink = shrink_for(needs, (found.width, found.height), most)
        bottom = max(part[1] + part[3] for part, _ in needs)
        with decoding():
            image = decode_sound_jpeg(found.data, shrink=shrink, bottom=bottom)
        if image.mode not in ("L", "RGB"):
            raise broken("its gain map is neither grey nor RGB")
        profile = image.info.get("icc_profile") or b""
        kept = found.in_own_colors and len(profile) <= LARGEST_PROFILE
        return cls(found, image, shrink, profile if kept else b"")

    def cut(self, task: OutputPlan, shares: tuple[float, float]) -> Image.Image:
        """Return the part that belongs to an output, at the map's own share of its sides."""
        part = _part(task, shares)
        left, top, right, bottom = (value / self.shrink for value in part.box)
        image = cut(self.image, (left, top, right, bottom), part.sides)
        return _finished(image, self.found, task, shares[::-1] if task.turn.swap else shares)


def _part(task: OutputPlan, shares: tuple[float, float]) -> _Part:
    x, y, width, height = task.region
    box = (x * shares[0], y * shares[1], (x + width) * shares[0], (y + height) * shares[1])
    return _Part(box, _times(task.sides, shares))


def _finished(
    image: Image.Image, found: GainMap, task: OutputPlan, shares: tuple[float, float]
) -> Image.Image:
    if task.turn in TRANSPOSES:
        image = image.transpose(TRANSPOSES[task.turn])
    if task.tilt:
        scaled = _times(task.plan.scaled, shares)
        image = straightened(image, task.tilt, task.plan.region, scaled)
    canvas = _times(task.plan.canvas, shares)
    if image.size == canvas:
        return image
    padded = Image.new(image.mode, canvas, _no_gain(found.ranges, len(image.getbands())))
    padded.paste(image, ((canvas[0] - image.width) // 2, (canvas[1] - image.height) // 2))
    return padded


def _times(sides: Sides, shares: tuple[float, float]) -> Sides:
    return max(1, round(sides[0] * shares[0])), max(1, round(sides[1] * shares[1]))


def _no_gain(ranges: tuple[Range, ...], bands: int) -> tuple[int, ...]:
    """Return the map's value that leaves the image as it is: the padding is no brighter."""
    values = []
    for low, high, gamma in ranges:
        share = min(1.0, max(0.0, -low / (high - low))) if high > low else 0.0
        values.append(round(255 * share**gamma))
    return tuple(values[at % len(values)] for at in range(bands))
