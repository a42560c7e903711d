"""An image turned by any angle, and the frame in it that has no empty corners.

The frame is the largest rectangle of the image's own aspect ratio inside the turned image, about
the same centre. Its scale is 1 / (|cos a| + max(w/h, h/w) * |sin a|).
"""

from dataclasses import dataclass
from math import ceil, cos, floor, radians, sin

from cropsvc.imaging.geometry.orientation import Region, Sides

MARGIN = 3  # pixels around the used part, which the filter looks at


@dataclass(frozen=True)
class Tilt:
    """An image that is displayed at *sides*, turned clockwise by *degrees* about its centre."""

    degrees: float
    sides: Sides

    @property
    def frame(self) -> Sides:
        """The sides of the frame in pixels, rounded down, at least one each."""
        width, height = self._exact
        return max(1, floor(width)), max(1, floor(height))

    @property
    def _exact(self) -> tuple[float, float]:
        width, height = self.sides
        longer = max(width / height, height / width)
        angle = radians(self.degrees)
        scale = 1 / (abs(cos(angle)) + longer * abs(sin(angle)))
        return width * scale, height * scale

    def bounds(self, region: Region) -> Region:
        """Return the part of the image that a *region* of the frame needs, with a margin."""
        x, y, width, height = region
        corners = [(x, y), (x + width, y), (x, y + height), (x + width, y + height)]
        points = [self._in_image(*corner) for corner in corners]
        left = max(0, floor(min(point[0] for point in points)) - MARGIN)
        top = max(0, floor(min(point[1] for point in points)) - MARGIN)
        right = min(self.sides[0], ceil(max(point[0] for point in points)) + MARGIN)
        bottom = min(self.sides[1], ceil(max(point[1] for point in points)) + MARGIN)
        return left, top, max(1, right - left), max(1, bottom - top)

    def affine(
        self, region: Region, scaled: Sides, part: Sides
    ) -> tuple[float, float, float, float, float, float]:
        """Return Pillow's coefficients: from an output's pixel to one of the cut part.

        The output shows *region* at *scaled*; the part is `bounds(region)`, scaled to *part*.
        """
        left, top, width, height = self.bounds(region)
        x_scale, y_scale = part[0] / width, part[1] / height
        start = self._in_image(region[0], region[1])
        right = self._in_image(region[0] + region[2], region[1])
        down = self._in_image(region[0], region[1] + region[3])
        return (
            (right[0] - start[0]) / scaled[0] * x_scale,
            (down[0] - start[0]) / scaled[1] * x_scale,
            (start[0] - left) * x_scale,
            (right[1] - start[1]) / scaled[0] * y_scale,
            (down[1] - start[1]) / scaled[1] * y_scale,
            (start[1] - top) * y_scale,
        )

    def _in_image(self, x: float, y: float) -> tuple[float, float]:
        """Return the image's point that is shown at a point of the frame."""
        width, height = self.frame
        # A frame thinner than a pixel is stretched to one: beside it there is no image.
        across = (x - width / 2) * min(1.0, self._exact[0])
        down = (y - height / 2) * min(1.0, self._exact[1])
        angle = radians(self.degrees)
        return (
            self.sides[0] / 2 + across * cos(angle) + down * sin(angle),
            self.sides[1] / 2 - across * sin(angle) + down * cos(angle),
        )
