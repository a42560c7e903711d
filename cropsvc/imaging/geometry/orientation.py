"""EXIF's eight orientations, and how they combine with quarter turns."""

from dataclasses import dataclass

Region = tuple[int, int, int, int]  # x, y, width, height
Sides = tuple[int, int]  # width, height


@dataclass(frozen=True)
class Orientation:
    """How to find a displayed pixel in the stored image: swap the axes, then flip each."""

    swap: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def after(self, first: "Orientation") -> "Orientation":
        """Return the orientation that equals *first* followed by this one."""
        x, y = (self.flip_y, self.flip_x) if first.swap else (self.flip_x, self.flip_y)
        return Orientation(self.swap != first.swap, x != first.flip_x, y != first.flip_y)

    def sides(self, width: int, height: int) -> tuple[int, int]:
        """Return the displayed sides of an image stored with these sides, or the reverse."""
        return (height, width) if self.swap else (width, height)

    def stored(self, region: Region, width: int, height: int) -> Region:
        """Return where a displayed *region* is in a stored image of *width* x *height* pixels."""
        x, y, w, h = region
        if self.swap:
            x, y, w, h = y, x, h, w
        return (width - x - w if self.flip_x else x, height - y - h if self.flip_y else y, w, h)


ORIENTATIONS = {
    1: Orientation(),
    2: Orientation(False, True, False),
    3: Orientation(False, True, True),
    4: Orientation(False, False, True),
    5: Orientation(True, False, False),
    6: Orientation(True, False, True),
    7: Orientation(True, True, True),
    8: Orientation(True, True, False),
}
ROTATIONS = {0: ORIENTATIONS[1], 90: ORIENTATIONS[6], 180: ORIENTATIONS[3], 270: ORIENTATIONS[8]}


def turn(orientation: int, rotate: int) -> Orientation:
    """Return EXIF's *orientation* followed by *rotate* degrees clockwise."""
    return ROTATIONS[rotate].after(ORIENTATIONS[orientation])
