"""A picture in L, LA, RGB or RGBA to the bytes of an output format; nothing but pixels goes in."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image

from cropsvc.imaging import formats
from cropsvc.imaging.render.palette import to_palette

FULL_COLOR_FROM = 90  # JPEG quality from which colour is not subsampled
LARGE = 4_000_000  # pixels from which WebP's effort is not worth its time: 4 % for twice the time


def _jpeg(quality: int, image: Image.Image) -> dict[str, Any]:
    return {"quality": quality, "subsampling": 0 if quality >= FULL_COLOR_FROM else 2}


def _webp(quality: int, image: Image.Image) -> dict[str, Any]:
    large = image.width * image.height > LARGE
    return {"quality": quality, "method": 2 if large else 4}


OPTIONS: dict[str, Callable[[int, Image.Image], dict[str, Any]]] = {
    "jpeg": _jpeg,
    "png": lambda quality, image: {},
    "webp": _webp,
    "avif": lambda quality, image: {"quality": quality, "speed": 8, "max_threads": 1},
    "gif": lambda quality, image: {"optimize": False},
}


def encode(image: Image.Image, output: str, quality: int | None) -> bytes:
    """The picture's bytes in this format."""
    image.info = {}  # Pillow's writers copy what they find there
    if output == "gif":
        image = to_palette(image)
    buffer = BytesIO()
    options = OPTIONS[output](formats.quality(quality, output), image)
    image.save(buffer, output.upper(), **options)
    return buffer.getvalue()
