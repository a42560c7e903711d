"""A small, upright copy of the image, for anchors that look at it."""

from fractions import Fraction

from PIL import Image

from cropsvc.imaging.attention.faces import SIDE
from cropsvc.imaging.attention.interest import small
from cropsvc.imaging.attention.placement import Placement
from cropsvc.imaging.geometry.crop_plan import frame_of
from cropsvc.imaging.geometry.decoding import SHRINKS
from cropsvc.imaging.geometry.orientation import Orientation, Region, turn
from cropsvc.imaging.geometry.straighten import Tilt
from cropsvc.imaging.headers.probe import Source
from cropsvc.imaging.params.model import Crop
from cropsvc.imaging.render.color import scalable
from cropsvc.imaging.render.decode import decode, orientation, stored_sides
from cropsvc.imaging.render.pillow_setup import decoding
from cropsvc.imaging.render.postprocess import TRANSPOSES, straightened


class Look:
    """Looks at the upload once, and only if an anchor asks for it."""

    def __init__(self, data: bytes, source: Source) -> None:
        self._data, self._source = data, source
        self._copy: Image.Image | None = None
        self._placements: dict[Fraction, Placement] = {}

    def placement(self, crop: Crop) -> Placement:
        """Return the view of the image as displayed after the crop's `rotate`."""
        if crop.rotate not in self._placements:
            copy = self._turned(turn(1, crop.quarter).after(orientation(self._source)))
            if crop.tilt:
                tilt = Tilt(crop.tilt, copy.size)
                part = copy.crop(edges(tilt.bounds((0, 0, *tilt.frame))))
                copy = straightened(part, tilt, (0, 0, *tilt.frame), tilt.frame)
            sides = frame_of(crop, self._source.width, self._source.height)
            self._placements[crop.rotate] = Placement(copy, sides)
        return self._placements[crop.rotate]

    def _turned(self, turned: Orientation) -> Image.Image:
        copy = self._decoded()
        return copy.transpose(TRANSPOSES[turned]) if turned in TRANSPOSES else copy

    def _decoded(self) -> Image.Image:
        if self._copy is None:
            width, height = stored_sides(self._source)
            longest = max(width, height)
            fits = (shrink for shrink in SHRINKS if longest >= shrink * SIDE)
            shrink = next(fits, 1) if self._source.format == "jpeg" else 1
            image = decode(self._data, self._source, shrink=shrink, bottom=height)
            with decoding():
                self._copy = small(scalable(image), SIDE)
        return self._copy


def edges(region: Region) -> tuple[int, int, int, int]:
    """Return a region as left, top, right, bottom."""
    x, y, width, height = region
    return x, y, x + width, y + height
