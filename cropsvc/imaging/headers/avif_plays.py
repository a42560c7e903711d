"""How often an AVIF sequence is shown: in its edit list, as libavif 1.4 reads and writes it.

A repeated track lasts as long as all its repetitions. The edit list has the length of one.
"""

import struct
from collections.abc import Iterator

from cropsvc.imaging.headers.avif import boxes
from cropsvc.model.errors import CropError

WITHIN = (b"moov", b"trak", b"edts")
WITHOUT_END = (2**32 - 1, 2**64 - 1)  # as a duration, by the box's version
MOST_PLAYS = 2**31 - 1  # libavif counts repetitions in 32 bits
REPEATED = 1  # flag of the edit list


def plays_of(data: bytes) -> int:
    """Return how often the sequence is shown; 0 is without end, and what a broken file gives."""
    try:
        found = dict(reversed(list(_inside(data))))  # of each kind the first
        if b"tkhd" not in found or b"elst" not in found:
            return 0  # it does not say
        if not data[found[b"elst"] + 3] & REPEATED:
            return 1
        whole, once = _track_length(data, found[b"tkhd"]), _segment(data, found[b"elst"])
    except (CropError, struct.error, IndexError):
        return 0
    return 0 if whole in WITHOUT_END or not once else min(-(-whole // once), MOST_PLAYS)


def with_plays(data: bytes, plays: int) -> bytes:
    """Return a sequence of libavif's, without end, shown *plays* times; 0 leaves it as it is."""
    found = list(_inside(data)) if plays else []
    once = max((_segment(data, first) for kind, first in found if kind == b"elst"), default=0)
    if not once:
        return data
    length = struct.pack(">Q", once * min(plays, MOST_PLAYS))
    changed = bytearray(data)
    for kind, first in found:
        if kind == b"elst" and plays == 1:
            changed[first + 3] &= ~REPEATED
        elif kind in (b"mvhd", b"tkhd"):
            place = first + (24 if kind == b"mvhd" else 28)
            changed[place : place + 8] = length
    return bytes(changed)


def _inside(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Return the boxes of the movie and its tracks, and where their bodies begin."""
    return _down(data, WITHIN, 0, len(data))


def _down(
    data: bytes, path: tuple[bytes, ...], start: int, end: int
) -> Iterator[tuple[bytes, int]]:
    for kind, first, last in boxes(data, start, end):
        yield kind, first
        if path and kind == path[0]:
            yield from _down(data, path[1:], first, last)


def _track_length(data: bytes, header: int) -> int:
    long = data[header] == 1
    return int(struct.unpack_from(">Q" if long else ">I", data, header + (28 if long else 20))[0])


def _segment(data: bytes, edits: int) -> int:
    long = data[edits] == 1
    return int(struct.unpack_from(">Q" if long else ">I", data, edits + 8)[0])
