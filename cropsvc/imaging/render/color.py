"""Any mode that a decoder gives to L, LA, RGB or RGBA in sRGB, 8 bits each."""

from functools import lru_cache
from io import BytesIO
from itertools import product
from typing import cast

from PIL import Image, ImageCms
from PIL.TiffImagePlugin import BITSPERSAMPLE

from cropsvc.imaging.headers.avif import avif_color
from cropsvc.imaging.headers.color import ColorDescription, png_color, png_gamma
from cropsvc.imaging.headers.probe import Source
from cropsvc.imaging.headers.webp import is_webp_animation
from cropsvc.imaging.render.described_color import icc_profile, tone_mapped

READY = ("L", "LA", "RGB", "RGBA", "CMYK", "LAB")  # may be scaled as they are
RGB = b"RGB "  # a profile's colour space (ICC.1:2022, 7.2.6)
INTEGERS = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")
Profile = bytes | ColorDescription | None
_SRGB = ImageCms.createProfile("sRGB")
_LAB = ImageCms.createProfile("LAB")


def scalable(image: Image.Image) -> Image.Image:
    """Return the image in a mode that can be scaled: no palette, 8 bits, with alpha."""
    if image.mode in INTEGERS:
        return _eight_bits(image)
    if image.mode in READY and "transparency" not in image.info:
        return image
    if image.has_transparency_data:
        return image.convert("LA" if image.mode in ("1", "L") else "RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    wide = image.convert("F")
    white = _white(image, wide)
    # Rounds: Pillow cuts a float's fraction off. A float image's NaN turns black.
    gray = wide.point(lambda value: value * (255 / white) + 0.5).convert("L")
    key = image.info.get("transparency")
    if isinstance(key, int):
        gray.putalpha(_unlike(wide, key))
    return gray


def _white(image: Image.Image, wide: Image.Image) -> float:
    """Return the value of white: given for 16 bits, else guessed from the largest one."""
    mode = image.mode
    if mode.startswith("I;16"):
        bits: int = getattr(image, "tag_v2", {}).get(BITSPERSAMPLE, (16,))[0]  # a TIFF's may be 12
        return float(2**bits - 1)
    largest = cast("tuple[float, float]", wide.getextrema())[1]
    guesses = (1, 255, 65535, 2**32 - 1) if mode == "F" else (255, 65535, 2**31 - 1)
    return next((white for white in guesses if largest <= white), largest)


def _unlike(wide: Image.Image, key: int) -> Image.Image:
    """Return a mask that is 0 where the image has exactly this value."""
    above = wide.point(lambda value: value * 255 - (key * 255)).convert("L")
    below = wide.point(lambda value: value * -255 + (key * 255)).convert("L")
    above.paste(255, mask=below)
    return above


def source_profile(image: Image.Image, data: bytes, source: Source) -> Profile:
    """Return what the file says of its colours: cICP or nclx, an ICC profile, or gAMA and cHRM."""
    profile = cast("bytes | None", image.info.get("icc_profile"))
    if source.format == "png":
        return png_color(data) or profile or png_gamma(data)
    if source.format in ("avif", "heif"):
        return profile or avif_color(data)
    if source.format == "webp" and is_webp_animation(data):
        return None  # Chromium 156 shows its frames as they are stored
    return profile


def to_srgb(image: Image.Image, profile: Profile) -> tuple[Image.Image, bool]:
    """Return the image in sRGB, without CMYK or Lab, and whether a profile had to be applied."""
    if isinstance(profile, ColorDescription):
        if profile.is_hdr:
            return tone_mapped(image, profile), True
        image = image.convert("RGBA" if image.mode in ("LA", "RGBA") else "RGB")
        profile = icc_profile(profile)
    if profile:
        converted = _by_profile(image, profile)
        if converted is not None:
            return converted
    if image.mode == "LAB":
        return _applied(image, _transform_lab()), True
    return (image.convert("RGB") if image.mode == "CMYK" else image), False


def _by_profile(image: Image.Image, profile: bytes) -> tuple[Image.Image, bool] | None:
    if image.mode == "LA":
        return _gray_with_alpha(image, profile)
    transform = _transform(profile, image.mode)
    if transform is None and image.mode == "L" and _space(profile) == RGB:
        made = _by_profile(image.convert("RGB"), profile)  # as Chromium: three equal values
        return made if made and made[1] else None
    if transform is None:
        return None
    if _changes_nothing(profile, image.mode):
        return image, False
    return _applied(image, transform), True


def _gray_with_alpha(image: Image.Image, profile: bytes) -> tuple[Image.Image, bool] | None:
    made = _by_profile(image.convert("L"), profile)
    if made is not None:
        made[0].putalpha(image.getchannel("A"))
    return made


def _applied(image: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    return cast("Image.Image", ImageCms.applyTransform(image, transform))  # None is for in place


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the way from this profile to sRGB; None if it is broken or for another mode."""
    try:
        opened = ImageCms.ImageCmsProfile(BytesIO(profile))
        return ImageCms.buildTransform(opened, _SRGB, mode, "RGBA" if mode == "RGBA" else "RGB")
    except (OSError, ImageCms.PyCMSError):
        return None


def _space(profile: bytes) -> bytes:
    return profile[16:20]


@lru_cache(maxsize=8)
def _changes_nothing(profile: bytes, mode: str) -> bool:
    """Whether the profile is sRGB by another name: no colour moves by more than rounding."""
    transform = _transform(profile, "RGB")
    if mode not in ("RGB", "RGBA") or transform is None:
        return False
    steps = (0, 32, 64, 96, 128, 160, 192, 224, 255)
    before = bytes(value for color in product(steps, repeat=3) for value in color)
    after = _applied(Image.frombytes("RGB", (len(before) // 3, 1), before), transform).tobytes()
    return all(abs(a - b) <= 1 for a, b in zip(before, after, strict=True))


@lru_cache(maxsize=1)
def _transform_lab() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(_LAB, _SRGB, "LAB", "RGB")


def least_alpha(image: Image.Image) -> int:
    """Return the alpha of the most transparent pixel."""
    bands = cast("tuple[tuple[int, int], ...]", image.getextrema())
    return bands[-1][0]
