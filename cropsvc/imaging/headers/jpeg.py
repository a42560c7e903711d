"""JPEG's segments up to the image, and its scans counted without decoding (ITU-T T.81)."""

import re
import struct
from typing import Protocol

from cropsvc.imaging.headers.model import (
    APPLE_GAIN_MAP,
    GAIN_MAP_NOTE,
    SEGMENTS,
    Header,
    broken,
)
from cropsvc.imaging.headers.mpf import MPF, starts_of_images
from cropsvc.imaging.headers.tiff import exif_orientation
from cropsvc.model.errors import TooComplex

SOI, EOI, SOS, FILL = 0xD8, 0xD9, 0xDA, 0xFF
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC} | {0xDE}  # SOF markers, and DHP as Pillow does
SEQUENTIAL = {0xC0, 0xC1, 0xC9}
SHORTENED = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive: Huffman-coded
WORTH_IT = 0.95  # of the height; below, decoding fewer rows pays for copying the bytes
END = bytes([0xFF, EOI])
BARE = {0x01, *range(0xD0, 0xDA), FILL}  # without a segment
EXIF, XMP = (b"Exif\0\0", b"Exif\0\xff"), b"http://ns.adobe.com/xap/1.0/\0"
GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1"  # ISO 21496-1; older files say it in XMP
GAIN_MAP_IN_XMP = (b"hdrgm:", b"apdi:AuxiliaryImageType")
GAIN_MAP_BEHIND = (GAIN_MAP, APPLE_GAIN_MAP, b"http://ns.adobe.com/hdr-gain-map/")
VIDEO_IN_XMP = (b'MotionPhoto="1"', b'MicroVideo="1"', b"MotionPhoto>1<", b"MicroVideo>1<")
SAMSUNG_VIDEO = b"MotionPhoto_Data"
UNSHOWN = {  # frames that no browser decodes
    0xC3: "lossless", 0xC5: "differential", 0xC6: "differential", 0xC7: "differential lossless",
    0xCB: "lossless arithmetic", 0xCD: "differential arithmetic", 0xCE: "differential arithmetic",
    0xCF: "differential lossless arithmetic",
}  # fmt: skip

# A fill byte, a second FF, is met as a marker: runs of millions must not be walked one by one.
_MARKER = re.compile(rb"\xff([^\x00])")
_MARKER_IN_SCAN = re.compile(rb"\xff([^\x00\xd0-\xd7])")


class Walk(Protocol):
    """Looks at segments."""

    def take(self, marker: int, body: bytes, place: int) -> None:
        """Note what this segment says; its body stands at *place*."""


class _Walk:
    """Collects what the segments before the first scan say."""

    def __init__(self) -> None:
        self.frame = (0, 0, 0, 0)  # bits, height, width, components
        self.kinds: list[int] = []  # the SOF markers met
        self.rows = 0  # of a row of blocks, the unit that cannot be divided
        self.heights: list[int] = []  # where the file says how high the image is
        self.exif: list[bytes] = []
        self.xmp = b""
        self.has_gain_map = False
        self.index = (b"", 0)  # of the images in the file: its segment, and where it stands

    def take(self, marker: int, body: bytes, place: int) -> None:
        """Note what this segment says; its body stands at *place*."""
        if marker in FRAMES:
            self.frame = struct.unpack_from(">BHHB", body)
            self.kinds.append(marker)
            self.heights.append(place + 1)
            self.rows = 8 * max((factors & 15 for factors in body[7::3]), default=1)
        elif marker == 0xE1 and body.startswith(EXIF):
            self.exif.append(body[6:])
        elif marker == 0xE1 and body.startswith(XMP):
            self.xmp = body[len(XMP) :]
        elif marker == 0xE2 and body.startswith(GAIN_MAP):
            self.has_gain_map = True
        elif marker == 0xE2 and body.startswith(MPF):
            self.index = (body, place)


def read_jpeg_header(data: bytes, max_scans: int) -> Header:
    """Return the header of a JPEG. Raises TooComplex for too many scans or segments."""
    walk = _Walk()
    place = walk_segments(data, walk)
    bits, height, width, components = walk.frame
    unshown = next((UNSHOWN[kind] for kind in walk.kinds if kind in UNSHOWN), None)
    if unshown or bits != 8 or components not in (1, 3, 4):
        kind = unshown or f"{components} components of {bits} bits"
        raise broken(f"it is a JPEG that browsers do not show: {kind}")
    sequential = SEQUENTIAL.issuperset(walk.kinds)
    only_scan = sequential and data[place + 4 : place + 5] == bytes([components])
    return Header(
        "jpeg",
        width,
        height,
        exif_orientation(b"".join(walk.exif)) or 1,
        dropped=_dropped(walk, data),
        scans=1 if only_scan else _scans(data, place, max_scans),
    )


def walk_segments(data: bytes, walk: Walk) -> int:
    """Show *walk* every segment before the first scan, and return where that begins.

    Raises Unreadable where there is none, TooComplex for too many segments.
    """
    place = 2
    for _ in range(SEGMENTS):
        match = _MARKER.search(data, place)
        if not match:
            raise broken("the JPEG ends before its image data")
        marker = match[1][0]
        place = match.end() - (marker == FILL)
        if marker == SOS:
            return match.start()
        if marker not in BARE:
            (length,) = struct.unpack_from(">H", data, place)
            walk.take(marker, data[place + 2 : place + length], place + 2)
            place += length
    raise TooComplex(f"the JPEG has more than {SEGMENTS:,} segments before its image data")


def _scans(data: bytes, first: int, limit: int) -> int:
    # Entropy-coded bytes never spell a marker, so this is never below the true number.
    upper = data.count(b"\xff\xda", first)
    return upper if upper <= limit else _scans_walked(data, first, limit)


def _scans_walked(data: bytes, place: int, limit: int) -> int:
    scans = 0
    for _ in range(SEGMENTS):
        match = _MARKER_IN_SCAN.search(data, place)
        if not match or match[1][0] == EOI:
            return scans
        marker = match[1][0]
        scans += marker == SOS
        if scans > limit:
            raise TooComplex(f"the JPEG has more than {limit} scans, the most allowed")
        place = match.end() - (marker == FILL)
        if marker not in BARE:
            place += int.from_bytes(data[place : place + 2], "big")
    raise TooComplex(f"the JPEG has more than {SEGMENTS:,} segments")


def is_progressive(data: bytes) -> bool:
    """Whether the image comes in scans of growing detail."""
    walk = _Walk()
    walk_segments(data, walk)
    return bool({0xC2, 0xCA}.intersection(walk.kinds))


def without_metadata(data: bytes) -> bytes:
    """Return the JPEG without application segments, except for profile and colour transform."""
    parts, place = [data[:2]], 2
    for _ in range(SEGMENTS):
        match = _MARKER.search(data, place)
        if not match or match[1][0] == SOS:
            break
        marker, start = match[1][0], match.start()
        place = match.end() - (marker == FILL)
        if marker in BARE:
            continue
        place += int.from_bytes(data[place : place + 2], "big")
        segment = data[start:place]
        if not 0xE0 <= marker <= 0xEF or segment[4:16].startswith((b"ICC_PROFILE", b"Adobe")):
            parts.append(segment)
    return b"".join((*parts, data[match.start() if match else place :]))


def shortened(data: bytes, bottom: int) -> bytes:
    """Return the same JPEG, changed to end soon after the row *bottom*, so that no more is decoded.

    Rows depend on those above them only; the upsampling of colour looks one row of blocks further.
    A file that is not a plain, complete JPEG is left as it is, so that its faults are found.
    """
    walk = _Walk()
    first = walk_segments(data, walk)
    height = walk.frame[1]
    if len(walk.kinds) != 1 or walk.kinds[0] not in SHORTENED or not walk.rows:
        return data
    rows = (-(-bottom // walk.rows) + 1) * walk.rows
    if rows > height * WORTH_IT or data.rfind(END, first) < 0:
        return data
    place = walk.heights[0]
    rest = memoryview(data)  # joined without a copy of its own
    return b"".join((rest[:place], rows.to_bytes(2, "big"), rest[place + 2 :]))


def _dropped(walk: _Walk, data: bytes) -> tuple[str, ...]:
    """Return notes on what a photo holds besides its one image, and no output keeps.

    Apple's photos name their gain map only where it lies: in an image behind the first.
    """
    xmp = walk.xmp
    further = starts_of_images(data, *walk.index)
    behind = any(name in start for start in further for name in GAIN_MAP_BEHIND)
    gain_map = walk.has_gain_map or behind or any(name in xmp for name in GAIN_MAP_IN_XMP)
    video = any(name in xmp for name in VIDEO_IN_XMP) or SAMSUNG_VIDEO in data[-8192:]
    return (GAIN_MAP_NOTE,) * gain_map + ("video-dropped",) * video
