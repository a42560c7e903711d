"""The facts of a header, and the error for one that is broken."""

from dataclasses import dataclass

from cropsvc.model.errors import Unreadable

SEGMENTS = 4096  # parts of a header that are walked; real files have below 1,000
GAIN_MAP_NOTE = "gain-map-dropped"
APPLE_GAIN_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap"
METADATA = 1024 * 1024  # bytes of an EXIF or XMP block that are looked at


@dataclass(frozen=True)
class Header:
    """An image as stored: sides in pixels before orientation, and what else it holds."""

    format: str
    width: int
    height: int
    orientation: int = 1  # EXIF's 1-8
    frames: int = 1  # of an animation
    pages: int = 1  # further images in the file, the first one included
    dropped: tuple[str, ...] = ()  # notes on what else it holds, and no output keeps
    scans: int = 1  # of a JPEG
    canvas: tuple[int, int] = (0, 0)  # largest sides any frame needs, where it differs
    cut: bool = False  # the file ends within a frame behind the first


def broken(detail: str) -> Unreadable:
    """Return the error for an image with the right first bytes and something wrong after them."""
    return Unreadable(f"the image cannot be read: {detail}")


def check_sides(found: tuple[int, int], stated: tuple[int, int]) -> None:
    """Raise Unreadable unless an image has the sides that its header said."""
    if found != stated:
        raise Unreadable(
            f"the image is {found[0]}x{found[1]} where its header says {stated[0]}x{stated[1]}"
        )
