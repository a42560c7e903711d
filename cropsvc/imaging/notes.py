"""What was lost on the way: the notes of the contract."""

from PIL import Image

from cropsvc.imaging import formats
from cropsvc.imaging.probe import Source

# What Pillow keeps beside the pixels and that tells how to show them, not about somebody.
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
        "mp",
        "mpoffset",
        "progression",
        "progressive",
        "resolution",
        "srgb",
        "timestamp",
        "transparency",
        "version",
    }
)
# ImageDescription, Make, Model, Software, DateTime, Artist, HostComputer, XMP, Copyright, IPTC,
# Photoshop, EXIF, GPS
TIFF_TAGS = (270, 271, 272, 305, 306, 315, 316, 700, 33432, 33723, 34377, 34665, 34853)


def of_source(source: Source, image: Image.Image, output: str) -> tuple[str, ...]:
    """The notes that follow from the source and the output's format alone."""
    moving = source.animated and output in formats.MOVING
    return (
        ("animation-flattened",) * (source.frames > 1 and not moving)
        + ("metadata-dropped",) * _has_metadata(image)
        + ("pages-dropped",) * (source.pages > 1)
    )


def _has_metadata(image: Image.Image) -> bool:
    tags = getattr(image, "tag_v2", {})
    return bool(set(image.info) - TECHNICAL) or any(tag in tags for tag in TIFF_TAGS)
