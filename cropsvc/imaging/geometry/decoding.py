"""How much of a JPEG must be decoded: its decoder can make it smaller, and stop at a row."""

from collections.abc import Sequence

from cropsvc.imaging.geometry.orientation import Region, Sides

SHRINKS = (8, 4, 2)
LEFT = 1.5  # how much larger than the output a JPEG stays at least when it is decoded smaller
# Of the pixels allowed, the most that are decoded for the sake of an edge: 20 ms (12 MP: 40 ms).
CAREFUL = 0.05
Need = tuple[Region, Sides]  # a stored region, and its sides in the output


def shrink_for(needs: Sequence[Need], stored: Sides, most: int) -> int:
    """Return how much smaller a JPEG, stored at these sides, may be decoded for these regions.

    *most* is the number of pixels that may be decoded.
    """
    least = min((ratio(region, sides) for region, sides in needs), default=1.0)
    possible = [shrink for shrink in SHRINKS if least >= shrink * LEFT]
    found = next((shrink for shrink in possible if _ends_well(needs, stored, shrink)), 1)
    if not possible or _pixels(needs, stored, found) <= most * CAREFUL:
        return found
    return possible[0]


def _ends_well(needs: Sequence[Need], stored: Sides, shrink: int) -> bool:
    """Whether the last column and row of the smaller image stand for whole blocks.

    A JPEG's last blocks are filled up with copies of its last column and row, which would count
    too often: a frame of one pixel came out almost twice as strong at the right and the bottom.
    """
    ends = [tuple(map(sum, zip(region[:2], region[2:], strict=True))) for region, _ in needs]
    return all(
        side % shrink == 0 or all(end[axis] < side for end in ends)
        for axis, side in enumerate(stored)
    )


def ratio(region: Region, sides: Sides) -> float:
    """Return how much larger than its output a region is, along the axis where it is less."""
    return min(region[2] / sides[0], region[3] / sides[1])


def decoded_pixels(needs: Sequence[Need], stored: Sides, most: int) -> int:
    """Return how many pixels of a JPEG, stored at these sides, are decoded for these regions."""
    return _pixels(needs, stored, shrink_for(needs, stored, most))


def _pixels(needs: Sequence[Need], stored: Sides, shrink: int) -> int:
    bottom = max((region[1] + region[3] for region, _ in needs), default=1)
    rows = min(bottom, stored[1])
    return -(-stored[0] // shrink) * -(-rows // shrink)
