"""Pillow, set up for us in one place, and the one fence around what its codecs raise."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Every plugin used, loaded up front: a warm process pays nothing on its first job.
from PIL import (  # noqa: F401
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from cropsvc.imaging.render.pillow_png import ChunkStream
from cropsvc.model.errors import CropError, CropFailed, OutOfMemory, Unreadable

# Pillow's process-wide settings. Pixels are bounded by our own Limits, before and after opening,
# also where an operator allows more than Pillow would. AVIF's threads cost 10 MB of stack each.
# Warnings of its parsers are about the upload, not about the service; they would fill the log.
Image.MAX_IMAGE_PIXELS = None
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
PngImagePlugin.PngStream = ChunkStream  # type: ignore[misc]  # Pillow has no other way in
warnings.filterwarnings("ignore", module=r"PIL\.")
Image.preinit()

# How encoders say that memory ran out: libwebp's codes 1 and 2; libavif's message for all that aom
# cannot do, which for an image that is there already is to get memory.
MEMORY = re.compile(
    r"encoding error [12]\b|Encoding of (color planes|alpha plane) failed|Out of memory"
)
NO_MEMORY = "it needs more memory than a job may use"


@contextmanager
def decoding() -> Iterator[None]:
    """Turn whatever a decoder raises into Unreadable, lack of memory into OutOfMemory."""
    with _fenced(Unreadable, "the image cannot be decoded"):
        yield


@contextmanager
def making() -> Iterator[None]:
    """Turn whatever the making of an output raises into CropFailed, or OutOfMemory."""
    with _fenced(CropFailed, "the output cannot be made"):
        yield


@contextmanager
def _fenced(kind: type[CropError], words: str) -> Iterator[None]:
    try:
        yield
    except CropError:
        raise
    except MemoryError:
        raise OutOfMemory(f"{words}: {NO_MEMORY}") from None
    except Exception as error:  # the documented place: Pillow's plugins raise anything
        if MEMORY.search(str(error)):
            raise OutOfMemory(f"{words}: {NO_MEMORY}") from error
        raise kind(f"{words}: {_message(error)}") from error


def _message(error: Exception) -> str:
    """Return what Pillow says, without the address of an object."""
    if isinstance(error, UnidentifiedImageError):
        return "its header is broken"
    return f"{error}"[:200] or type(error).__name__
