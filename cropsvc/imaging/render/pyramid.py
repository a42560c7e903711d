"""One decoded image, kept in the sizes that its outputs are made from."""

from dataclasses import dataclass

from PIL import Image

from cropsvc.imaging.geometry.decoding import ratio
from cropsvc.imaging.geometry.orientation import Region, Sides
from cropsvc.imaging.render.resize import cut, reduced

LEVEL_LEFT = 1.5  # how much larger than the output a smaller copy stays that several share
MOST = 0.25  # of the image: an output that uses less is not worth a smaller copy of all of it


@dataclass(frozen=True)
class _Level:
    """A copy of the image; *x* and *y* are its scale, by the stored size."""

    image: Image.Image
    x: float
    y: float

    def half(self) -> "_Level":
        """Return the next smaller copy. Its pixels all stand for as much: no column is cut off."""
        width, height = (max(1, side // 2) for side in self.image.size)
        x, y = self.x * width / self.image.width, self.y * height / self.image.height
        return _Level(reduced(self.image, 2, 2), x, y)


class Pyramid:
    """Pixels in a mode that can be scaled, at 1/*shrink* of the stored size."""

    def __init__(self, image: Image.Image, shrink: int, *, shared: bool) -> None:
        self._levels = {shrink: _Level(image, 1 / shrink, 1 / shrink)}
        self._shared = shared

    def cut(self, region: Region, sides: Sides, *, last: bool = False) -> Image.Image:
        """Return the stored *region*, scaled to *sides*; after the *last* one nothing is kept."""
        level = self._levels[self._level(region, sides)]
        x, y, width, height = region
        box = (x * level.x, y * level.y, (x + width) * level.x, (y + height) * level.y)
        if last:
            self._levels.clear()
        return cut(level.image, box, sides)

    def _level(self, region: Region, sides: Sides) -> int:
        level = min(self._levels)
        if not self._shared or not self._is_most(region):
            return level
        while ratio(region, sides) >= 2 * level * LEVEL_LEFT:
            if 2 * level not in self._levels:
                self._levels[2 * level] = self._levels[level].half()
            level *= 2
        return level

    def _is_most(self, region: Region) -> bool:
        level = min(self._levels)
        width, height = self._levels[level].image.size
        return region[2] * region[3] >= MOST * width * height * level * level
