"""What a file holds beside its image."""

from PIL import Image

TRUNCATED = "truncated"  # key of `image.info`: a part of the image is missing from the file
MISSING_FROM = "missing_from"  # another: the first missing row of an image that can have no alpha

# Keys of `image.info` that say how to show the pixels. All others may hold personal data.
TECHNICAL = frozenset(
    {
        "adobe",
        "adobe_transform",
        "aspect",
        "background",
        "bbox",
        "blend",
        "chromaticity",
        "compression",
        "dpi",
        "default_image",
        "disposal",
        "duration",
        "extension",
        "gamma",
        "icc_profile",
        "interlace",
        "jfif",
        "jfif_density",
        "jfif_unit",
        "jfif_version",
        "loop",
        MISSING_FROM,
        "mp",
        "mpoffset",
        "progression",
        "progressive",
        "resolution",
        "srgb",
        "timestamp",
        "transparency",
        TRUNCATED,
        "version",
    }
)
# ImageDescription, Make, Model, Software, DateTime, Artist, HostComputer, XMP, Copyright, IPTC,
# Photoshop, EXIF, GPS
TIFF_TAGS = (270, 271, 272, 305, 306, 315, 316, 700, 33432, 33723, 34377, 34665, 34853)


def take_metadata(image: Image.Image) -> bool:
    """Remove what is not needed to show the image; whether there was any."""
    tags = getattr(image, "tag_v2", {})
    extra = [key for key in image.info if key not in TECHNICAL]
    for key in extra:
        del image.info[key]
    return bool(extra) or any(tag in tags for tag in TIFF_TAGS)
