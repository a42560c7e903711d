"""A picture in L, LA, RGB or RGBA to the bytes of an output format; nothing but pixels goes in."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image

from cropsvc.imaging import formats
from cropsvc.imaging.palette import to_palette

FULL_COLOR_FROM = 90  # JPEG quality from which colour is not subsampled


def _jpeg(quality: int) -> dict[str, Any]:
    return {"quality": quality, "subsampling": 0 if quality >= FULL_COLOR_FROM else 2}


OPTIONS: dict[str, Callable[[int], dict[str, Any]]] = {
    "jpeg": _jpeg,
    "png": lambda quality: {},
    "webp": lambda quality: {"quality": quality, "method": 4},
    "avif": lambda quality: {"quality": quality, "speed": 8, "max_threads": 1},
    "gif": lambda quality: {"optimize": False},
}


def encode(image: Image.Image, output: str, quality: int | None) -> bytes:
    """The picture's bytes in this format."""
    image.info = {}  # Pillow's writers copy what they find there
    if output == "gif":
        image = to_palette(image)
    buffer = BytesIO()
    options = OPTIONS[output](formats.quality(quality, output))
    image.save(buffer, output.upper(), **options)
    return buffer.getvalue()
