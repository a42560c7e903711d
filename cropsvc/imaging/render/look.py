"""A small, upright copy of the image, for anchors that look at it."""

from PIL import Image

from cropsvc.imaging.attention.faces import SIDE
from cropsvc.imaging.attention.interest import small
from cropsvc.imaging.attention.placement import Placement
from cropsvc.imaging.geometry.orientation import turn
from cropsvc.imaging.headers.probe import Source
from cropsvc.imaging.render.color import scalable
from cropsvc.imaging.render.decode import decode, orientation, stored_sides
from cropsvc.imaging.render.pillow_setup import decoding
from cropsvc.imaging.render.postprocess import TRANSPOSES
from cropsvc.imaging.render.pyramid import SHRINKS


class Look:
    """Looks at the upload once, and only if an anchor asks for it."""

    def __init__(self, data: bytes, source: Source) -> None:
        self._data, self._source = data, source
        self._copy: Image.Image | None = None
        self._placements: dict[int, Placement] = {}

    def placement(self, rotate: int) -> Placement:
        """Return the view of the image as displayed after *rotate* degrees."""
        if rotate not in self._placements:
            turned = turn(1, rotate).after(orientation(self._source))
            sides = turned.sides(*stored_sides(self._source))
            copy = self._decoded()
            if turned in TRANSPOSES:
                copy = copy.transpose(TRANSPOSES[turned])
            self._placements[rotate] = Placement(copy, sides)
        return self._placements[rotate]

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
