"""AVIF files that libavif refuses over something that is not the image, made readable in place.

No box changes its length, so all offsets stay right. Each case is shown by Chromium 156:
a major brand that Pillow does not know, several `ipma` boxes of one kind, a broken Exif item.
"""

from cropsvc.imaging.headers.avif import BRANDS, boxes, inside
from cropsvc.model.errors import Unreadable

METADATA_ITEMS = (b"Exif", b"mime")  # item types: EXIF, XMP
UNKNOWN_ITEM = b"skip"


def readable(data: bytes, *, metadata: bool = True) -> bytes:
    """Return the file as libavif takes it; without *metadata* its EXIF and XMP are hidden."""
    patched = bytearray(data)
    if data[8:12] not in BRANDS:
        patched[8:12] = b"avif"
    try:
        _tell_associations_apart(data, patched)
        if not metadata:
            _hide_metadata(data, patched)
    except Unreadable:  # a box is missing: libavif says which
        return data
    return bytes(patched)


def _tell_associations_apart(data: bytes, patched: bytearray) -> None:
    """Give each `ipma` box flags of its own; only the lowest bit of them has a meaning."""
    start, end = inside(data, (b"meta", b"iprp"))
    found = [first for kind, first, _ in boxes(data, start, end) if kind == b"ipma"]
    for number, place in enumerate(found[:128]):
        patched[place + 3] = (data[place + 3] & 1) | number << 1 & 0xFE


def _hide_metadata(data: bytes, patched: bytearray) -> None:
    start, end = inside(data, (b"meta", b"iinf"))
    entries = start + (6 if data[start] == 0 else 8)
    for kind, first, _ in boxes(data, entries, end):
        version = data[first]
        place = first + 4 + (2 if version < 3 else 4) + 2
        if kind == b"infe" and version >= 2 and data[place : place + 4] in METADATA_ITEMS:
            patched[place : place + 4] = UNKNOWN_ITEM
