"""The gain map of an Ultra HDR photo: where it lies, and what it says of itself.

It is a JPEG behind the primary image. Its figures stand in XMP (Adobe, "Gain Map" 1.0, prefix
`hdrgm`), in a segment of ISO 21496-1 (annex C), or in both.
"""

import re
import struct
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError

from cropsvc.imaging.headers import xmp
from cropsvc.imaging.headers.jpeg import (
    FRAMES,
    GAIN_MAP,
    XMP,
    is_progressive,
    read_jpeg_header,
    walk_segments,
)
from cropsvc.model.errors import CropError

HDRGM = "http://ns.adobe.com/hdr-gain-map/1.0/"
RDF_ITEM = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"
DEFAULTS = {  # of what XMP may leave out
    "GainMapMin": "0", "GainMapMax": "", "Gamma": "1", "OffsetSDR": "0.015625",
    "OffsetHDR": "0.015625", "HDRCapacityMin": "0", "HDRCapacityMax": "",
}  # fmt: skip
NUMBER = re.compile(r"[+-]?\d{1,12}(\.\d{0,20})?([eE][+-]?\d{1,2})?")
START = b"\xff\xd8\xff"  # of a JPEG
MOST_IMAGES = 8  # behind the primary one that are looked at
# Flags of ISO 21496-1: a map for each channel, applied in the image's own colours, one denominator.
SEVERAL, IN_BASE_COLORS, COMMON = 0x80, 0x40, 0x08
NO_MAP = (  # what reading an image of another kind raises, or bytes that are none
    CropError, ValueError, struct.error, IndexError, ArithmeticError, ElementTree.ParseError,
    ExpatError,
)  # fmt: skip
Range = tuple[float, float, float]


@dataclass(frozen=True)
class GainMap:
    """A gain map: its JPEG, its sides, and its figures.

    `figures` are those of XMP, as the photo writes them: one number or three. `iso` is the payload
    of the segment of ISO 21496-1. One of the two may be empty. `ranges` are each channel's least
    and greatest gain (log2) and gamma.
    """

    data: bytes
    width: int
    height: int
    figures: tuple[tuple[str, tuple[str, ...]], ...]
    base_is_hdr: bool
    iso: bytes
    ranges: tuple[Range, ...]
    progressive: bool = False

    @property
    def in_own_colors(self) -> bool:
        """Whether the map is applied in the colours of its own profile, not the image's."""
        return bool(self.iso) and not self.iso[4] & IN_BASE_COLORS


def find_gain_map(data: bytes, max_scans: int) -> GainMap | None:
    """Return the gain map of a JPEG; None where there is none, or one that is not read."""
    place = walk_segments(data, _Walk())
    for _ in range(MOST_IMAGES):
        place = data.find(START, place)
        if place < 0:
            return None
        try:
            return _gain_map(data[place:], max_scans)
        except NO_MAP:
            place += len(START)
    return None


class _Walk:
    """Collects what a gain map says of itself."""

    def __init__(self) -> None:
        self.sides = (0, 0)
        self.xmp = self.iso = b""

    def take(self, marker: int, body: bytes, place: int) -> None:
        """Note what this segment says."""
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", body, 1)
            self.sides = (width, height)
        elif marker == 0xE1 and body.startswith(XMP):
            self.xmp = body[len(XMP) :]
        elif marker == 0xE2 and body.startswith(GAIN_MAP):
            self.iso = body[len(GAIN_MAP) :].removeprefix(b"\0")


def _gain_map(data: bytes, max_scans: int) -> GainMap:
    """Return what these bytes begin with. Raises ValueError, or what parsers raise, if no map."""
    walk = _Walk()
    walk_segments(data, walk)
    figures, base_is_hdr = _figures(walk.xmp)
    by_iso = _iso_ranges(walk.iso) if walk.iso else ()
    ranges = _xmp_ranges(figures) if figures else by_iso
    if not ranges or min(walk.sides) < 1:
        raise ValueError("no gain map")
    read_jpeg_header(data, max_scans)
    said = tuple(figures.items())
    progressive = is_progressive(data)
    return GainMap(data, *walk.sides, said, base_is_hdr, walk.iso, ranges, progressive)


def _figures(packet: bytes) -> tuple[dict[str, tuple[str, ...]], bool]:
    root = xmp.parsed(packet)
    if root is None:
        return {}, False
    figures = {name: _values(root, name) or (default,) for name, default in DEFAULTS.items()}
    if figures["GainMapMax"] == ("",) and figures["HDRCapacityMax"] == ("",):
        return {}, False
    if not all(len(values) in (1, 3) for values in figures.values()) or not all(
        NUMBER.fullmatch(value) for values in figures.values() for value in values
    ):
        raise ValueError("the figures of a gain map are numbers")
    return figures, _values(root, "BaseRenditionIsHDR") == ("True",)


def _values(root: ElementTree.Element, name: str) -> tuple[str, ...]:
    """Return a property's value, or its list's values."""
    full = f"{{{HDRGM}}}{name}"
    for element in root.iter():
        if full in element.attrib:
            return (element.attrib[full].strip(),)
        if element.tag == full:
            items = [item.text or "" for item in element.iter(RDF_ITEM)] or [element.text or ""]
            return tuple(item.strip() for item in items)
    return ()


def _xmp_ranges(figures: dict[str, tuple[str, ...]]) -> tuple[Range, ...]:
    parts = [figures[name] for name in ("GainMapMin", "GainMapMax", "Gamma")]
    count = max(map(len, parts))
    low, high, gamma = ([float(part[at % len(part)]) for at in range(count)] for part in parts)
    return tuple(zip(low, high, gamma, strict=True))


def _iso_ranges(payload: bytes) -> tuple[Range, ...]:
    """Return the ranges in a payload of ISO 21496-1. Raises ValueError for another version."""
    least, _, flags = struct.unpack_from(">HHB", payload)
    channels = 3 if flags & SEVERAL else 1
    numbers = 3 + 5 * channels if flags & COMMON else 4 + 10 * channels
    if least != 0 or len(payload) != 5 + 4 * numbers:
        raise ValueError("a gain map of a later version")
    if flags & COMMON:
        (below,) = struct.unpack_from(">I", payload, 5)
        rows = [struct.unpack_from(">iiIii", payload, 17 + 20 * at) for at in range(channels)]
        return tuple((row[0] / below, row[1] / below, row[2] / below) for row in rows)
    rows = [struct.unpack_from(">iIiIIIiIiI", payload, 21 + 40 * at) for at in range(channels)]
    return tuple((row[0] / row[1], row[2] / row[3], row[4] / row[5]) for row in rows)
