"""Bytes to an image, as stored: no more of it, and no finer, than the outputs need."""

from io import BytesIO
from typing import cast

from PIL import Image, ImageFile, WebPImagePlugin

from cropsvc.imaging.geometry.orientation import ORIENTATIONS, Orientation
from cropsvc.imaging.headers.avif_repair import readable
from cropsvc.imaging.headers.model import check_sides
from cropsvc.imaging.headers.probe import Source
from cropsvc.imaging.render.bmp import decode_bmp
from cropsvc.imaging.render.color import least_alpha
from cropsvc.imaging.render.gif_reader import decode_gif
from cropsvc.imaging.render.jpeg import decode_jpeg
from cropsvc.imaging.render.pillow_setup import decoding
from cropsvc.imaging.render.png import decode_png
from cropsvc.imaging.render.tiff import decode_tiff
from cropsvc.model.errors import Unreadable

# Formats that Pillow does not read as browsers do.
DECODERS = {"bmp": decode_bmp, "gif": decode_gif, "png": decode_png}
ALPHA_HINT = 0x10  # in the last byte of a lossless WebP's sides
HEIF_INFO = ("icc_profile", "exif", "xmp")  # beside facts about the file, which all have
TURNED_BY_PILLOW = ("tiff", "heif")  # their plugins apply the orientation


def orientation(source: Source) -> Orientation:
    """Return the turn that shows what is decoded."""
    return ORIENTATIONS[1 if source.format in TURNED_BY_PILLOW else source.orientation]


def stored_sides(source: Source) -> tuple[int, int]:
    """Return the sides of what is decoded."""
    return orientation(source).sides(source.width, source.height)


def open_source(data: bytes, source: Source) -> ImageFile.ImageFile:
    """Return the image, not decoded yet. Raises Unreadable if it is not as its header said."""
    if source.format == "avif":
        image = _open_avif(data)
    elif source.format == "heif":
        image = open_heif(data)
    else:
        with decoding():
            image = Image.open(BytesIO(data), formats=[source.format.upper()])
    stated = stored_sides(source)
    turns_later = source.format in TURNED_BY_PILLOW and image.size == stated[::-1]
    check_sides(image.size, image.size if turns_later else stated)
    return image


def open_heif(data: bytes) -> ImageFile.ImageFile:
    """Return the image, by the extra `heif`, loaded when it is used."""
    from pillow_heif import HeifImageFile, options

    options.DECODE_THREADS = 1
    with decoding():
        image = HeifImageFile(BytesIO(data))  # type: ignore[no-untyped-call]  # it is untyped
    image.info = {name: image.info[name] for name in HEIF_INFO if image.info.get(name)}
    return cast("ImageFile.ImageFile", image)


def _open_avif(data: bytes) -> ImageFile.ImageFile:
    """Return the image; metadata that libavif cannot read is no reason to refuse it."""
    try:
        with decoding():
            return Image.open(BytesIO(readable(data)), formats=["AVIF"])
    except Unreadable:
        with decoding():
            return Image.open(BytesIO(readable(data, metadata=False)), formats=["AVIF"])


def decode(data: bytes, source: Source, *, shrink: int, bottom: int) -> Image.Image:
    """Return the first frame's pixels, a JPEG's at 1/*shrink* and only down to the row *bottom*.

    *shrink* is 1, 2, 4 or 8; *bottom* is a stored row of the full size. The image may end there
    or later; raises Unreadable.
    """
    with decoding():
        if source.format == "jpeg":
            return _jpeg(data, source, shrink, bottom)
        if source.format == "tiff":
            image = decode_tiff(data, stored_sides(source))
            check_sides(image.size, stored_sides(source))
            return image
        if source.format in DECODERS:
            image = DECODERS[source.format](data)
            check_sides(image.size, stored_sides(source))
            return image
        image = open_source(_with_alpha(data) if source.format == "webp" else data, source)
        if isinstance(image, WebPImagePlugin.WebPImageFile):
            return _webp(image)
        image.load()
    check_sides(image.size, stored_sides(source))
    return image


def _jpeg(data: bytes, source: Source, shrink: int, bottom: int) -> Image.Image:
    width, height = stored_sides(source)
    image = decode_jpeg(data, shrink=shrink, bottom=bottom)
    if shrink == 1:
        check_sides(
            image.size, (width, image.height if bottom <= image.height <= height else height)
        )
    return image


def _with_alpha(data: bytes) -> bytes:
    """Return a lossless WebP that says it has alpha: RFC 9649 calls that bit a mere hint."""
    if data[12:16] != b"VP8L" or len(data) < 25 or data[24] & ALPHA_HINT:
        return data
    return data[:24] + bytes((data[24] | ALPHA_HINT,)) + data[25:]


def _webp(opened: WebPImagePlugin.WebPImageFile) -> Image.Image:
    """Return the first frame, without what the plugin would keep: its decoder's two canvases."""
    mode, raw, size, info = opened.mode, opened.rawmode, opened.size, opened.info
    pixels = opened._get_next()[0]
    del opened._decoder, opened
    image = Image.frombytes(mode, size, pixels, "raw", raw)
    if mode == "RGBA" and least_alpha(image) == 255:
        image = image.convert("RGB")
    image.info = info
    return image
