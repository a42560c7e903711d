"""TIFF's pixels: what Pillow reads of the repaired file, and planes of 16 bits one by one."""

from io import BytesIO

from PIL import Image, ImageChops, UnidentifiedImageError

from cropsvc.imaging.geometry.orientation import Sides
from cropsvc.imaging.headers.model import broken, check_sides
from cropsvc.imaging.render.color import scalable
from cropsvc.imaging.render.metadata import TIFF_TAGS
from cropsvc.imaging.render.tiff_repair import (
    COMPRESSION,
    EXTRA,
    PHOTOMETRIC,
    SUBSAMPLING,
    Directory,
    directory_of,
    has_wide_planes,
    is_grey_by_alpha,
    is_wide_negative,
    readable,
    sample_file,
)

YCBCR, PLAIN = 6, 1  # a photometric interpretation, a compression
NO_CODEC = ((33003,), (33005,), (34712,), (34887,), (50001,), (50002,))  # JPEG 2000, LERC, WebP, XL
MODES = {  # photometric interpretation, samples, kind of the extra ones -> mode
    (1, 2, 2): "LA", (2, 3, None): "RGB", (2, 4, 0): "RGB", (2, 4, 1): "RGBa",
    (2, 4, 2): "RGBA", (5, 4, None): "CMYK", (5, 5, 0): "CMYK",
}  # fmt: skip


def decode_tiff(data: bytes, sides: Sides) -> Image.Image:
    """Return the first page, upright; *sides* are those that the header says.

    Raises Unreadable with the kind of a file that is not read, or for other sides, before any
    pixel is decoded; or whatever Pillow raises.
    """
    found = directory_of(data)
    if found and (_is_subsampled(found) or found.values(COMPRESSION, (PLAIN,))[:1] in NO_CODEC):
        raise _unread(found)
    if found and has_wide_planes(found):
        return _merged(found, sides)
    try:
        image = _opened(readable(data), sides)
    except UnidentifiedImageError:
        if found is None or not found.fields:
            raise
        raise _unread(found) from None
    image.load()
    if found and is_grey_by_alpha(found):
        return _divided(image)
    if found and is_wide_negative(found):
        return _inverted(image, found)
    return image


def _inverted(image: Image.Image, found: Directory) -> Image.Image:
    """Return the positive of grey of more than 8 bits, in 8 bits."""
    grey = ImageChops.invert(scalable(image))
    grey.info = image.info
    return _with_tags(grey, found)


def _divided(image: Image.Image) -> Image.Image:
    """Return the grey image, which was read as if it was not multiplied by its alpha."""
    grey = Image.frombytes("La", image.size, image.tobytes()).convert("LA")
    grey.info = image.info
    return grey


def _is_subsampled(found: Directory) -> bool:
    """Whether colour is stored for blocks of pixels, without a codec that would unpack it."""
    if found.values(PHOTOMETRIC) != (YCBCR,) or found.values(COMPRESSION, (PLAIN,)) != (PLAIN,):
        return False
    return found.values(SUBSAMPLING, (2, 2)) != (1, 1)


def _opened(data: bytes, sides: Sides) -> Image.Image:
    image = Image.open(BytesIO(data), formats=["TIFF"])
    check_sides(image.size, sides[::-1] if image.size == sides[::-1] else sides)  # it turns later
    return image


def _merged(found: Directory, sides: Sides) -> Image.Image:
    extra = next(iter(found.values(EXTRA)), None)
    mode = MODES.get((found.values(PHOTOMETRIC, (0,))[0], found.samples, extra))
    if mode is None:
        raise _unread(found)
    count = len(Image.new(mode, (1, 1)).getbands())
    bands = [_high_bytes(found, index, sides) for index in range(count)]
    whole = Image.merge(mode, bands)
    whole.info = bands[0].info
    _with_tags(whole, found)
    return whole if mode != "RGBa" else whole.convert("RGBA")


def _with_tags(image: Image.Image, found: Directory) -> Image.Image:
    """Return an image that says whether the file had metadata to be dropped."""
    if any(tag in found.fields for tag in TIFF_TAGS):
        image.info["tags"] = True
    return image


def _high_bytes(found: Directory, index: int, sides: Sides) -> Image.Image:
    """Return a plane's upper 8 bits, as Pillow takes them of pixels that lie together."""
    band = _opened(sample_file(found, index), sides)
    raw = "L;16B" if band.mode == "I;16B" else "L;16"
    high = Image.frombytes("L", band.size, band.tobytes(), "raw", raw)
    high.info = band.info
    return high


def _unread(found: Directory) -> Exception:
    return broken(f"a TIFF with {found.kind}; save it as RGB or grey of 8 or 16 bits")
