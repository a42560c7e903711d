"""JPEG's pixels, those of cut and damaged files too, as Chromium 156 shows them."""

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image, ImageChops, ImageFile

from cropsvc.imaging.headers.jpeg import END, is_progressive, shortened, without_metadata
from cropsvc.imaging.headers.model import broken
from cropsvc.imaging.render.metadata import MISSING_FROM, TRUNCATED

SCAN = b"\xff\xda"
FILLER = bytes(range(1, 0x80)) * 16  # entropy-coded bytes that no file ends with
MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # in a scan, where 0 and restarts are data
MOST_CUTS = 80  # tries to find the fault; a progressive JPEG has at most 64 scans


def decode_jpeg(data: bytes, *, shrink: int, bottom: int) -> Image.Image:
    """Return the image at 1/*shrink*, only down to the stored row *bottom* where that is cheaper.

    What a cut file lacks is transparent, and `info` says so.
    """
    try:
        return _decoded(shortened(data, bottom), shrink)
    except (OSError, SyntaxError, struct.error, IndexError):  # cut, damaged, or odd metadata
        return _damaged(without_metadata(data), shrink)


def decode_sound_jpeg(data: bytes, *, shrink: int, bottom: int) -> Image.Image:
    """Return the same of a JPEG that is not cut off. Raises what Pillow raises for one that is."""
    return _decoded(shortened(data, bottom), shrink)


def _decoded(data: bytes, shrink: int) -> Image.Image:
    image = Image.open(BytesIO(data), formats=["JPEG"])
    if shrink > 1:
        image.draft(None, (max(1, image.width // shrink), max(1, image.height // shrink)))
    image.load()
    return image


@contextmanager
def _leniently() -> Iterator[None]:
    """Let Pillow keep the rows before an error. A crop process decodes one image at a time."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _damaged(data: bytes, shrink: int) -> Image.Image:
    if is_progressive(data):
        return _sound_scans(data, shrink)
    try:
        image, marked = _decoded(data + END, shrink), False
    except OSError:
        with _leniently():
            image, marked = _decoded(data + END, shrink), True
    shown = _known_rows(image, data, shrink)
    if marked:
        shown.info[TRUNCATED] = True
    return shown


def _sound_scans(data: bytes, shrink: int) -> Image.Image:
    """Return a progressive JPEG by the scans before the fault: all rows, only coarser."""
    cuts = [len(data), *(match.start() for match in MARKER.finditer(data, data.index(SCAN) + 2))]
    for cut in sorted(cuts, reverse=True)[:MOST_CUTS]:
        try:
            image = _decoded(data[:cut] + END, shrink)
        except OSError:
            continue
        if data.count(SCAN, 0, cut) == 1:
            return _known_rows(image, data[:cut], shrink)
        if cut < len(data) or not _same(image, data, shrink):
            image.info[TRUNCATED] = True
        return image
    raise broken("the JPEG is damaged before its first row of pixels")


def _same(image: Image.Image, data: bytes, shrink: int) -> bool:
    """Whether what follows the file's end would not change the image: nothing is missing."""
    return ImageChops.difference(image, _otherwise(data, shrink)).getbbox(alpha_only=False) is None


def _otherwise(data: bytes, shrink: int) -> Image.Image:
    with _leniently():
        return _decoded(data + FILLER + END, shrink)


def _known_rows(image: Image.Image, data: bytes, shrink: int) -> Image.Image:
    """Return the image without the rows that depend on what follows the file's end.

    The file is decoded with another end: the two images differ from the first such row on.
    """
    box = ImageChops.difference(image, _otherwise(data, shrink)).getbbox(alpha_only=False)
    if box is None:
        return image  # only the end mark is missing
    rows = box[1] - box[1] % 2  # as Chromium, which holds back rows that share their colour
    if not rows:
        raise broken("the JPEG ends before its first row of pixels")
    return _without_rows(image, rows)


def _without_rows(image: Image.Image, rows: int) -> Image.Image:
    """Return the image with the rows from *rows* on transparent.

    Those of CMYK, which can have no alpha, are white, and `info` says where they begin.
    """
    info = image.info
    if image.mode == "CMYK":
        image.paste((0, 0, 0, 0), (0, rows, image.width, image.height))
        info = {**info, MISSING_FROM: rows}
    else:
        image.putalpha(255)
        clear = (0,) * len(image.getbands())
        image.paste(clear, (0, rows, image.width, image.height))
    image.info = {**info, TRUNCATED: True}
    return image
