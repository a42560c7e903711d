"""Places the regions of `anchor=smart` and `anchor=face`; one look at the image serves all."""

from dataclasses import dataclass
from functools import cached_property

from PIL import Image

from cropsvc.imaging.attention.decision import Decision, Face, around_faces
from cropsvc.imaging.attention.faces import NoDetector, find_faces
from cropsvc.imaging.attention.interest import InterestMap
from cropsvc.imaging.geometry.orientation import Region, Sides

Point = tuple[float, float]


@dataclass
class Placement:
    """A look at an image that is displayed at *sides*; the copy *image* may be smaller."""

    image: Image.Image
    sides: Sides

    def centre(self, method: str, sides: Sides, within: Region) -> tuple[Point, Decision]:
        """Return the centre of the region of these *sides* in *within*, and the decision."""
        faces, trouble = self._faces
        if method == "face":
            found = around_faces(faces, sides, within)
            if found:
                return found[0], Decision("face", faces, found[1])
            trouble = trouble or "no face was found"
        return self._by_interest(sides, within, faces, trouble if method == "face" else "")

    def _by_interest(
        self, sides: Sides, within: Region, faces: tuple[Face, ...], trouble: str
    ) -> tuple[Point, Decision]:
        point = self._interest.best(sides, within)
        if point:
            reason = "the most interesting part"
            return point, Decision("smart", faces, f"{trouble}: {reason}" if trouble else reason)
        middle = (within[0] + within[2] / 2, within[1] + within[3] / 2)
        reason = "no part is clearly more interesting than the middle"
        return middle, Decision("center", faces, f"{trouble}; {reason}" if trouble else reason)

    @cached_property
    def _faces(self) -> tuple[tuple[Face, ...], str]:
        try:
            return find_faces(self.image, self.sides), ""
        except NoDetector as error:
            return (), str(error)

    @cached_property
    def _interest(self) -> InterestMap:
        return InterestMap(self.image, self.sides, [face.box for face in self._faces[0]])
