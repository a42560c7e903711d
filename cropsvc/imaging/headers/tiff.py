"""TIFF's directories, of a file or of an EXIF block (TIFF 6.0; BigTIFF)."""

import struct
from dataclasses import dataclass

from cropsvc.imaging.headers.model import SEGMENTS, Header

WIDTH, HEIGHT, ORIENTATION = 256, 257, 274
SUBFILE_TYPE, PHOTOMETRIC, MAKE, SUB_IMAGES, DNG_VERSION = 254, 262, 271, 330, 50706
REDUCED = 1  # a flag of the subfile's type: a small copy of another image
SENSOR = (32803, 34892)  # photometric interpretations: colour filter array, linear raw
RAW_BY_MAKE = {b"NIKON": "NEF", b"SONY": "ARW", b"PENTAX": "PEF", b"SAMSUNG": "SRW"}
MOST_SUB_IMAGES = 16
SHORT = 3  # a field type
INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}  # field type -> struct code


@dataclass(frozen=True)
class _Layout:
    order: str
    offset: str  # struct codes of an offset, of a directory's length
    length: str
    entry: int  # bytes of an entry


def _layout(data: bytes) -> _Layout:
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    return _Layout(order, "Q", "Q", 20) if big else _Layout(order, "I", "H", 12)


def _directory(data: bytes, start: int, layout: _Layout) -> dict[int, tuple[int, int]]:
    """Return the directory's entries, as many as there are: tag -> (field type, place of count)."""
    (length,) = struct.unpack_from(layout.order + layout.length, data, start)
    first = start + struct.calcsize(layout.length)
    room = max(0, len(data) - first) // layout.entry
    entries: dict[int, tuple[int, int]] = {}
    for index in range(min(length, room, SEGMENTS)):
        place = first + index * layout.entry
        tag, kind = struct.unpack_from(layout.order + "HH", data, place)
        entries.setdefault(tag, (kind, place + 4))  # the first of equal tags counts
    return entries


def _next(data: bytes, start: int, layout: _Layout) -> int:
    """Where the directory after the one at *start* begins, 0 for none."""
    (length,) = struct.unpack_from(layout.order + layout.length, data, start)
    end = start + struct.calcsize(layout.length) + length * layout.entry
    return int(struct.unpack_from(layout.order + layout.offset, data, end)[0])


def _integer(data: bytes, entry: tuple[int, int] | None, layout: _Layout) -> int:
    """Return a field's one number; 0 where it is missing, of another type, or several."""
    if entry is None or entry[0] not in INTEGERS:
        return 0
    (count,) = struct.unpack_from(layout.order + layout.offset, data, entry[1])
    if count != 1:
        return 0
    place = entry[1] + struct.calcsize(layout.offset)
    return int(struct.unpack_from(layout.order + INTEGERS[entry[0]], data, place)[0])


def exif_orientation(exif: bytes) -> int:
    """Return the orientation that an EXIF block states, 0 where it states none or is broken.

    As Chromium, only the first tag counts, of type SHORT, count 1 and value 1 to 8.
    """
    block = exif.removeprefix(b"Exif\0\0").removeprefix(b"Exif\0\xff")
    if block[:2] not in (b"II", b"MM"):
        return 0
    try:
        layout = _layout(block)
        (start,) = struct.unpack_from(layout.order + layout.offset, block, 4)
        kind, place = _directory(block, start, layout).get(ORIENTATION, (0, 0))
        count, value = struct.unpack_from(f"{layout.order}{layout.offset}H", block, place)
    except (struct.error, IndexError, OverflowError):
        return 0
    return value if kind == SHORT and count == 1 and 1 <= value <= 8 else 0


def read_tiff_header(data: bytes) -> Header:
    """Return the header of a TIFF file; its first page's sides."""
    layout = _layout(data)
    place = 8 if layout.offset == "Q" else 4
    (start,) = struct.unpack_from(layout.order + layout.offset, data, place)
    first = _directory(data, start, layout)
    stated = _integer(data, first.get(ORIENTATION), layout)
    return Header(
        "tiff",
        _integer(data, first.get(WIDTH), layout),
        _integer(data, first.get(HEIGHT), layout),
        stated if 1 <= stated <= 8 else 1,
        pages=_pages(data, start, layout),
    )


def name_of_raw(data: bytes) -> str | None:
    """Return the name of the camera's raw format that this TIFF is; None for a plain TIFF.

    Its first image is a thumbnail or what the sensor saw, so it must not be taken for the photo.
    """
    if data[8:10] == b"CR":
        return "camera RAW (CR2)"
    try:
        layout = _layout(data)
        place = 8 if layout.offset == "Q" else 4
        (start,) = struct.unpack_from(layout.order + layout.offset, data, place)
        first = _directory(data, start, layout)
        if DNG_VERSION in first:
            return "camera RAW (DNG)"
        is_thumbnail = _integer(data, first.get(SUBFILE_TYPE), layout) & REDUCED
        images = [first, *_sub_images(data, first.get(SUB_IMAGES), layout)]
        shown = [_integer(data, one.get(PHOTOMETRIC), layout) for one in images]
        is_raw = is_thumbnail and MAKE in first and SUB_IMAGES in first
        if not is_raw and not set(SENSOR).intersection(shown):
            return None
        make = _text(data, first.get(MAKE), layout)
    except (struct.error, IndexError, OverflowError):
        return None  # it is broken; reading its header says so
    kind = next((kind for name, kind in RAW_BY_MAKE.items() if make.startswith(name)), "")
    return f"camera RAW ({kind})" if kind else "camera RAW"


def _sub_images(
    data: bytes, entry: tuple[int, int] | None, layout: _Layout
) -> list[dict[int, tuple[int, int]]]:
    """Return the directories of the images within the first one."""
    if entry is None:
        return []
    (count,) = struct.unpack_from(layout.order + layout.offset, data, entry[1])
    wide = struct.calcsize(layout.offset)
    place = entry[1] + wide
    if count > 1:
        (place,) = struct.unpack_from(layout.order + layout.offset, data, place)
    codes = f"{layout.order}{min(count, MOST_SUB_IMAGES)}{layout.offset}"
    return [_directory(data, start, layout) for start in struct.unpack_from(codes, data, place)]


def _text(data: bytes, entry: tuple[int, int] | None, layout: _Layout) -> bytes:
    """Return the first bytes of a field of text, in capitals."""
    if entry is None:
        return b""
    (count,) = struct.unpack_from(layout.order + layout.offset, data, entry[1])
    wide = struct.calcsize(layout.offset)
    place = entry[1] + wide
    if count > wide:
        (place,) = struct.unpack_from(layout.order + layout.offset, data, place)
    return data[place : place + min(count, 16)].upper()


def _pages(data: bytes, start: int, layout: _Layout) -> int:
    seen: set[int] = set()
    while start and start not in seen and len(seen) < SEGMENTS:
        seen.add(start)
        try:
            start = _next(data, start, layout)
        except (struct.error, OverflowError):
            break
    return len(seen)
