"""The formats that come out: their types, what they can hold, what `auto` means."""

CONTENT_TYPES: dict[str, str] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "avif": "image/avif",
    "gif": "image/gif",
    "tiff": "image/tiff",  # read only, as is BMP: for the upload's own bytes
    "bmp": "image/bmp",
}
OPAQUE = frozenset({"jpeg"})
MOVING = frozenset({"gif", "webp"})
LONGEST_SIDE = {"jpeg": 65_500, "webp": 16_383, "gif": 65_535, "avif": 65_535}  # of the encoders
QUALITY = {"avif": 60}
DEFAULT_QUALITY = 82


def resolve(asked: str, source: str) -> str:
    """The format to write where *asked* may be `auto`."""
    if asked != "auto":
        return asked
    return "png" if source in ("bmp", "tiff") else source


def quality(asked: int | None, output: str) -> int:
    """The quality to write *output* with."""
    return asked or QUALITY.get(output, DEFAULT_QUALITY)
