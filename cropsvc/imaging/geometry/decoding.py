"""How much of a JPEG must be decoded: its decoder can make it smaller, and stop at a row."""

from collections.abc import Iterable, Sequence

from cropsvc.imaging.geometry.orientation import Region, Sides

SHRINKS = (8, 4, 2)
LEFT = 1.5  # how much larger than the output a JPEG stays at least when it is decoded smaller
Need = tuple[Region, Sides]  # a stored region, and its sides in the output


def shrink_for(needs: Iterable[Need]) -> int:
    """Return how much smaller a JPEG may be decoded for these regions."""
    least = min((ratio(region, sides) for region, sides in needs), default=1.0)
    return next((shrink for shrink in SHRINKS if least >= shrink * LEFT), 1)


def ratio(region: Region, sides: Sides) -> float:
    """Return how much larger than its output a region is, along the axis where it is less."""
    return min(region[2] / sides[0], region[3] / sides[1])


def decoded_pixels(needs: Sequence[Need], stored: Sides) -> int:
    """Return how many pixels of a JPEG, stored at these sides, are decoded for these regions."""
    shrink = shrink_for(needs)
    bottom = max((region[1] + region[3] for region, _ in needs), default=1)
    rows = min(bottom, stored[1])
    return -(-stored[0] // shrink) * -(-rows // shrink)
