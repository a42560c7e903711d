"""An image in L, LA, RGB or RGBA to the bytes of an output format; nothing but pixels goes in."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO

from PIL import Image

from cropsvc.imaging import formats
from cropsvc.imaging.formats import Encoding
from cropsvc.imaging.params.model import Crop
from cropsvc.imaging.render.palette import to_palette
from cropsvc.model.errors import OverMaxBytes


@dataclass(frozen=True)
class Encoded:
    """A file, and the quality it was written with; None if `max_bytes` did not ask for one."""

    data: bytes
    quality: int | None = None
    lowered: bool = False


def encoding_of(crop: Crop, output: str) -> Encoding:
    """Return how the crop asks *output* to be written."""
    return Encoding(formats.quality(crop.quality, output), crop.effort, crop.lossless)


def encode(image: Image.Image, output: str, encoding: Encoding, kept: formats.Options) -> bytes:
    """Return the image's bytes in this format; *kept* is metadata as options for Pillow."""
    row = formats.OUTPUTS[output]
    image.info = {}  # Pillow's writers copy what they find there
    if row.palette:
        image = to_palette(image)
    buffer = BytesIO()
    options = row.options(replace(encoding, alpha=image.mode in ("LA", "RGBA")))
    image.save(buffer, row.name.upper(), **options, **kept)
    return buffer.getvalue()


def fitted(write: Callable[[Encoding], bytes], asked: Encoding, most: int | None) -> Encoded:
    """Return the file of the highest quality, not above the one asked for, within *most* bytes.

    Files grow with the quality but for a few bytes, so the quality is searched by halving, in
    eight files at most. Raises OverMaxBytes if quality 1 is too large.
    """
    data = write(asked)
    if most is None:
        return Encoded(data)
    if len(data) <= most:
        return Encoded(data, asked.quality)
    best, low, high = None, 1, asked.quality - 1
    while low <= high:
        middle = (low + high) // 2
        data = write(replace(asked, quality=middle))
        if len(data) <= most:
            best, low = Encoded(data, middle, lowered=True), middle + 1
        else:
            high = middle - 1
    if best is None:
        raise OverMaxBytes(
            f"quality 1 gives {len(data)} bytes; {most} are allowed; ask for a smaller `size` or "
            "a larger `max_bytes`"
        )
    return best
