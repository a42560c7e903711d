"""TIFF files as libtiff reads them, where Pillow does not: their first directory is written again.

A big-endian BigTIFF becomes a classic one; an orientation of another type than SHORT is made one;
an orientation in XMP is left out; a colour map of 8-bit values gets 16 bits (TIFF 6.0, BigTIFF).
The pixels stay where they are, and further pages are left out.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cropsvc.imaging.headers.model import SEGMENTS

BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, EXTRA = 258, 259, 262, 277, 338
STRIPS, STRIP_BYTES, TILES, TILE_BYTES = 273, 279, 324, 325
ORIENTATION, PLANAR, COLOR_MAP, SAMPLE_FORMAT, SUBSAMPLING, XMP = 274, 284, 320, 339, 530, 700
ASSOCIATED, UNASSOCIATED = 1, 2  # kinds of alpha, as extra samples
SEPARATE = 2  # a planar configuration
FLOAT = 3  # a sample format
SHORT, LONG, LONG8 = 3, 4, 16  # types of a field
STRUCTS = {1: "B", 3: "H", 4: "I", 16: "Q"}
WIDTHS = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)  # bytes of a value, by type
PER_SAMPLE = (BITS, SAMPLE_FORMAT, 280, 281)  # one value for each sample
COLORS = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", 8: "Lab"}


@dataclass(frozen=True)
class Field:
    """One entry of a directory: its type, how many values, and their bytes in the file's order."""

    kind: int
    count: int
    raw: bytes


@dataclass(frozen=True)
class Directory:
    """A TIFF's first directory; `order` is struct's code of the byte order."""

    data: bytes
    order: str
    is_big: bool
    fields: dict[int, Field]

    def values(self, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Return a field's whole numbers; *default* where it is missing or of another type."""
        field = self.fields.get(tag)
        if field is None or field.kind not in STRUCTS:
            return default
        return struct.unpack(f"{self.order}{field.count}{STRUCTS[field.kind]}", field.raw)

    @property
    def samples(self) -> int:
        """How many samples a pixel has."""
        return next(iter(self.values(SAMPLES, (1,))), 1)

    @property
    def kind(self) -> str:
        """What it holds, as text: `5 samples of 8 bits, CMYK, uncompressed`."""
        color = next(iter(self.values(PHOTOMETRIC)), -1)
        bits = "/".join(map(str, dict.fromkeys(self.values(BITS, (1,)))))
        form = {2: " signed", 3: " floating"}.get(next(iter(self.values(SAMPLE_FORMAT)), 1), "")
        packing = next(iter(self.values(COMPRESSION, (1,))), 1)
        packed = "uncompressed" if packing == 1 else f"compression {packing}"
        words = f"{self.samples} sample{'s' * (self.samples > 1)} of {bits}{form} bits"
        return f"{words}, {COLORS.get(color, f'photometric {color}')}, {packed}"


def directory_of(data: bytes) -> Directory | None:
    """Return the first directory, None where it cannot be read."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        is_big = struct.unpack_from(f"{order}H", data, 2)[0] == 43
        (start,) = struct.unpack_from(order + ("Q" if is_big else "I"), data, 8 if is_big else 4)
        fields = dict(_fields(data, start, order, is_big=is_big))
    except (struct.error, OverflowError):
        return None
    return Directory(data, order, is_big, fields)


def _fields(data: bytes, start: int, order: str, *, is_big: bool) -> Iterator[tuple[int, Field]]:
    length_code, count_code, entry = ("Q", "Q", 20) if is_big else ("H", "I", 12)
    (length,) = struct.unpack_from(order + length_code, data, start)
    first = start + struct.calcsize(length_code)
    for index in range(min(length, SEGMENTS) - 1, -1, -1):  # the first of equal tags counts
        place = first + index * entry
        if place + entry > len(data):
            continue
        tag, kind, count = struct.unpack_from(f"{order}HH{count_code}", data, place)
        place += 4 + struct.calcsize(count_code)
        size = count * (WIDTHS[kind] if kind < len(WIDTHS) else 0)
        if size > struct.calcsize(count_code):
            (place,) = struct.unpack_from(order + count_code, data, place)
        if size and place + size <= len(data):
            yield tag, Field(kind, count, data[place : place + size])


def readable(data: bytes) -> bytes:
    """Return the file as Pillow reads it right: the same bytes where nothing is wrong."""
    found = directory_of(data)
    if found is None:
        return data
    repaired = _repaired(found)
    if repaired == found.fields and not (found.is_big and found.order == ">"):
        return data
    return _written(found, repaired)


def _repaired(found: Directory) -> dict[int, Field]:
    fields = dict(found.fields)
    turn = found.values(ORIENTATION)
    if turn and fields[ORIENTATION].kind != SHORT:
        fields[ORIENTATION] = _shorts(found.order, turn[:1])
    if XMP in fields and not turn and re.search(rb"tiff:Orientation", fields[XMP].raw):
        del fields[XMP]
    if is_grey_by_alpha(found):
        fields[EXTRA] = _shorts(found.order, [UNASSOCIATED])
    if is_wide_negative(found):
        fields[PHOTOMETRIC] = _shorts(found.order, [1])
    colors = found.values(COLOR_MAP)
    if colors and max(colors) < 256:
        fields[COLOR_MAP] = _shorts(found.order, [color * 257 for color in colors])
    return fields


def is_grey_by_alpha(found: Directory) -> bool:
    """Return whether grey is stored as multiplied by its alpha; Pillow reads the other kind."""
    if found.samples != 2 or found.values(PHOTOMETRIC) != (1,) or set(found.values(BITS)) != {8}:
        return False
    return found.values(EXTRA) == (ASSOCIATED,)


def is_wide_negative(found: Directory) -> bool:
    """Return whether 0 is white in grey of more than 8 bits, which Pillow does not invert."""
    bits = found.values(BITS)[:1]
    wide = bits in ((12,), (16,)) or (bits == (32,) and found.values(SAMPLE_FORMAT) == (FLOAT,))
    return wide and found.values(PHOTOMETRIC) == (0,)


def has_wide_planes(found: Directory) -> bool:
    """Return whether samples of 16 bits lie in planes of their own; Pillow reads 8 bits only."""
    if found.values(PLANAR) != (SEPARATE,) or not 2 <= found.samples <= 5:
        return False
    return set(found.values(BITS)) == {16} and max(found.values(SAMPLE_FORMAT, (1,))) == 1


def sample_file(found: Directory, index: int) -> bytes:
    """Return a grey file of one sample's plane."""
    return _written(found, _one_sample(found, index))


def _one_sample(found: Directory, index: int) -> dict[int, Field]:
    fields = _repaired(found)
    for tag in (STRIPS, STRIP_BYTES, TILES, TILE_BYTES):
        values = found.values(tag)
        each = len(values) // found.samples
        if tag in fields:
            fields[tag] = _longs(found.order, values[index * each : (index + 1) * each])
    for tag in PER_SAMPLE:
        if tag in fields:
            fields[tag] = _shorts(found.order, found.values(tag)[:1])
    fields.pop(EXTRA, None)
    one = {SAMPLES: 1, PHOTOMETRIC: 1, PLANAR: 1}
    return fields | {tag: _shorts(found.order, [value]) for tag, value in one.items()}


def _shorts(order: str, values: Iterable[int]) -> Field:
    numbers = [min(value, 0xFFFF) for value in values]
    return Field(SHORT, len(numbers), struct.pack(f"{order}{len(numbers)}H", *numbers))


def _longs(order: str, values: Iterable[int]) -> Field:
    numbers = [min(value, 0xFFFFFFFF) for value in values]
    return Field(LONG, len(numbers), struct.pack(f"{order}{len(numbers)}I", *numbers))


def _written(found: Directory, fields: dict[int, Field]) -> bytes:
    """Return a classic TIFF with these fields, and the pixels where they are."""
    order = found.order
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", len(found.data))
    place = len(found.data) + 2 + 12 * len(fields) + 4
    entries, beyond = [], []
    for tag, field in sorted(fields.items()):
        kept = _longs(order, found.values(tag)) if field.kind == LONG8 else field
        value = kept.raw.ljust(4, b"\0")
        if len(kept.raw) > 4:
            value = struct.pack(f"{order}I", place)
            beyond.append(kept.raw)
            place += len(kept.raw)
        entries.append(struct.pack(f"{order}HHI", tag, kept.kind, kept.count) + value)
    length = struct.pack(f"{order}H", len(entries))
    return b"".join((head, found.data[8:], length, *entries, bytes(4), *beyond))
