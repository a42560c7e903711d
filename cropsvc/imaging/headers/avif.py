"""AVIF's boxes (ISO/IEC 14496-12, 23008-12): the primary item's sides and orientation."""

import struct
from collections.abc import Iterator
from dataclasses import replace

from cropsvc.imaging.headers.color import ColorDescription, nclx_color
from cropsvc.imaging.headers.model import (
    APPLE_GAIN_MAP,
    GAIN_MAP_NOTE,
    SEGMENTS,
    Header,
    broken,
)
from cropsvc.model.errors import TooComplex, Unreadable

BRANDS = (b"avif", b"avis")
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
TONE_MAP = b"tmap"
# EXIF's value for a turn (counter-clockwise quarters) followed by a mirror (none, axis 0, axis 1);
# as libavif's avifImageIrotImirToExifOrientation.
ORIENTATIONS = {
    (0, None): 1,
    (1, None): 8,
    (2, None): 3,
    (3, None): 6,
    (0, 0): 4,
    (0, 1): 2,
    (1, 0): 5,
    (1, 1): 7,
    (2, 0): 2,
    (2, 1): 4,
    (3, 0): 7,
    (3, 1): 5,
}


def is_avif(data: bytes) -> bool:
    """Whether the file type box names an AVIF brand, as its own or as a compatible one."""
    return any(brand in BRANDS for brand in _brands(data))


def is_heic(data: bytes) -> bool:
    """Whether it names a brand of HEIC (ISO 23008-12)."""
    return any(brand in HEIC_BRANDS for brand in _brands(data))


def _brands(data: bytes) -> list[bytes]:
    if data[4:8] != b"ftyp":
        return []
    length = min(int.from_bytes(data[:4], "big"), 256)
    return [data[8:12], *(data[place : place + 4] for place in range(16, length, 4))]


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Return the boxes between *start* and *end*: kind, and where the body begins and ends."""
    for _ in range(SEGMENTS):
        if start + 8 > end:
            return
        length, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, body)
            body += 8
        stop = end if length == 0 else start + length
        if stop < body or stop > end:
            return
        yield kind, body, stop
        start = stop
    raise TooComplex(f"the AVIF has more than {SEGMENTS:,} boxes")


def inside(data: bytes, path: tuple[bytes, ...]) -> tuple[int, int]:
    """Where the body of the first box at *path* begins and ends."""
    return _at(data, path, 0, len(data))


def _at(data: bytes, path: tuple[bytes, ...], start: int, end: int) -> tuple[int, int]:
    for wanted in path:
        found = next((b for b in boxes(data, start, end) if b[0] == wanted), None)
        if found is None:
            raise broken(f"the AVIF has no {wanted.decode()} box")
        start, end = found[1] + (4 if wanted == b"meta" else 0), found[2]
    return start, end


def _primary(data: bytes) -> int:
    start, _ = inside(data, (b"meta", b"pitm"))
    return int(struct.unpack_from(">H" if data[start] == 0 else ">I", data, start + 4)[0])


def _associations(data: bytes, item: int) -> list[int]:
    """Return the 1-based numbers of *item*'s properties, from all `ipma` boxes."""
    start, end = inside(data, (b"meta", b"iprp"))
    places = [first for kind, first, _ in boxes(data, start, end) if kind == b"ipma"]
    found = [number for place in places for number in _of_item(data, place, item)]
    if not found:
        raise broken("the AVIF's image has no properties")
    return found


def _of_item(data: bytes, start: int, item: int) -> list[int]:
    version, wide = data[start], data[start + 3] & 1
    (entries,) = struct.unpack_from(">I", data, start + 4)
    place = start + 8
    for _ in range(min(entries, SEGMENTS)):
        (number,) = struct.unpack_from(">I" if version else ">H", data, place)
        place += 4 if version else 2
        count, place = data[place], place + 1
        codes = struct.unpack_from(f">{count}{'H' if wide else 'B'}", data, place)
        place += count * (2 if wide else 1)
        if number == item:
            return [code & (0x7FFF if wide else 0x7F) for code in codes]
    return []


def avif_color(data: bytes) -> ColorDescription | None:
    """Return what the primary item's nclx box says of its colours."""
    if not _has_meta(data):
        return None  # libavif takes a sequence's colours from its track
    start, end = inside(data, (b"meta", b"iprp", b"ipco"))
    found = list(boxes(data, start, end))
    numbers = _associations(data, _primary(data))
    wanted = [found[n - 1] for n in numbers if 1 <= n <= len(found)]
    bodies = [(kind, data[first:last]) for kind, first, last in wanted]
    light = next((body for kind, body in bodies if kind == b"clli"), b"")
    colr = (body for kind, body in bodies if kind == b"colr" and body[:4] == b"nclx")
    return nclx_color(next(colr, b""), light)


def _properties(data: bytes) -> dict[bytes, int]:
    """Where the bodies of the primary item's properties begin."""
    start, end = inside(data, (b"meta", b"iprp", b"ipco"))
    found = list(boxes(data, start, end))
    wanted = _associations(data, _primary(data))
    return {found[n - 1][0]: found[n - 1][1] for n in wanted if 1 <= n <= len(found)}


def _has_meta(data: bytes) -> bool:
    return any(kind == b"meta" for kind, _, _ in boxes(data, 0, len(data)))


def _track_sides(data: bytes) -> tuple[int, int]:
    """Return the sides of a sequence's first track of images (the av01 sample entry)."""
    start, end = inside(data, (b"moov",))
    for kind, first, last in boxes(data, start, end):
        if kind != b"trak":
            continue
        entries = _at(data, (b"mdia", b"minf", b"stbl", b"stsd"), first, last)
        for sample, body, _ in boxes(data, entries[0] + 8, entries[1]):
            if sample == b"av01":
                width, height = struct.unpack_from(">HH", data, body + 24)
                return int(width), int(height)
    raise broken("the AVIF has neither a meta box nor a track of images")


def _track_frames(data: bytes) -> int:
    """Return how many samples the track of images states (box stsz); 1 if there is none."""
    try:
        start, end = inside(data, (b"moov",))
        for kind, first, last in boxes(data, start, end):
            if kind != b"trak":
                continue
            entries = _at(data, (b"mdia", b"minf", b"stbl", b"stsd"), first, last)
            if any(sample == b"av01" for sample, _, _ in boxes(data, entries[0] + 8, entries[1])):
                sizes = _at(data, (b"mdia", b"minf", b"stbl", b"stsz"), first, last)
                return max(1, int(struct.unpack_from(">I", data, sizes[0] + 8)[0]))
    except (Unreadable, struct.error):
        return 1  # what moves is broken: there is the still image
    return 1


def read_avif_header(data: bytes) -> Header:
    """Return the header of an AVIF; `frames` are those of a sequence's track."""
    if not _has_meta(data):
        return Header("avif", *_track_sides(data), frames=_track_frames(data))
    found = _properties(data)
    if b"ispe" not in found:
        raise broken("the AVIF does not say its size")
    width, height = struct.unpack_from(">II", data, found[b"ispe"] + 4)
    turn = data[found[b"irot"]] & 3 if b"irot" in found else 0
    mirror = data[found[b"imir"]] & 1 if b"imir" in found else None
    frames = _track_frames(data) if data[8:12] == b"avis" else 1
    dropped = (GAIN_MAP_NOTE,) * _has_gain_map(data)
    return Header("avif", width, height, ORIENTATIONS[turn, mirror], frames, dropped=dropped)


def _has_gain_map(data: bytes) -> bool:
    """Whether there is a gain map: of ISO 21496-1 (an item `tmap`), or Apple's (box `auxC`)."""
    start, end = inside(data, (b"meta",))
    named = {b"iinf": TONE_MAP, b"iprp": APPLE_GAIN_MAP}
    return any(
        named[kind] in data[first:last]
        for kind, first, last in boxes(data, start, end)
        if kind in named
    )


def read_heic_header(data: bytes) -> Header:
    """Return the header of a HEIC: its primary image; a sequence is not read as one."""
    header = read_avif_header(data)
    clean = _properties(data).get(b"clap") if _has_meta(data) else None
    stored = header.width, header.height
    width, height = _clean_sides(data, clean, stored)
    return replace(header, format="heif", width=width, height=height, frames=1, canvas=stored)


def _clean_sides(data: bytes, place: int | None, stored: tuple[int, int]) -> tuple[int, int]:
    """Return the sides of the clean aperture: HEVC stores even sides, of small images 64 at least.

    Browsers and libavif show the whole of an AVIF; libheif cuts a HEIC.
    """
    if place is None:
        return stored
    width, width_parts, height, height_parts = struct.unpack_from(">4I", data, place)
    if not width_parts or not height_parts:
        return stored
    return min(stored[0], width // width_parts), min(stored[1], height // height_parts)
