"""Bytes to a picture, as stored: opened by the format that its content told."""

from io import BytesIO

from PIL import Image, ImageFile

from cropsvc.errors import Unreadable
from cropsvc.imaging.pillow import decoding
from cropsvc.imaging.probe import Source
from cropsvc.imaging.turn import ORIENTATIONS, Turn

TURNED_BY_PILLOW = ("tiff",)  # its plugin applies the orientation while it loads


def open_source(data: bytes, source: Source) -> ImageFile.ImageFile:
    """The picture, nothing decoded yet; raises Unreadable where it is not what the header said."""
    with decoding():
        image = Image.open(BytesIO(data), formats=[source.format.upper()])
    if image.size not in (_stored(source), (source.width, source.height)):
        raise Unreadable(
            f"the picture is {image.width}x{image.height} where its header says "
            f"{source.width}x{source.height}"
        )
    return image


def orientation(source: Source) -> Turn:
    """The turn that shows what `load` gives."""
    return ORIENTATIONS[1 if source.format in TURNED_BY_PILLOW else source.orientation]


def _stored(source: Source) -> tuple[int, int]:
    return ORIENTATIONS[source.orientation].sides(source.width, source.height)


def load(image: Image.Image) -> None:
    """Decode the pixels of *image*; raises Unreadable."""
    with decoding():
        image.load()
