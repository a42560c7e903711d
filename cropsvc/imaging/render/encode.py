"""An image in L, LA, RGB or RGBA to the bytes of an output format; nothing but pixels goes in."""

from io import BytesIO

from PIL import Image

from cropsvc.imaging import formats
from cropsvc.imaging.render.palette import to_palette


def encode(image: Image.Image, output: str, quality: int | None) -> bytes:
    """Return the image's bytes in this format."""
    row = formats.OUTPUTS[output]
    image.info = {}  # Pillow's writers copy what they find there
    if row.palette:
        image = to_palette(image)
    buffer = BytesIO()
    options = row.options(formats.quality(quality, output), image.width * image.height)
    image.save(buffer, row.name.upper(), **options)
    return buffer.getvalue()
