"""The index of the images in one JPEG file (CIPA DC-007, chapter 5)."""

import struct
from collections.abc import Iterator

MPF = b"MPF\0"
ENTRIES = 0xB002  # the tag of the list: 16 bytes for each image
MOST_FIELDS = MOST_IMAGES = 16
LOOKED_AT = 65_536  # bytes from an image's beginning, where it says what it is


def starts_of_images(data: bytes, segment: bytes, place: int) -> Iterator[bytes]:
    """Return how the further images begin that the index, whose *segment* is at *place*, names.

    What the index says is believed where it points to a JPEG. A broken one names nothing.
    """
    base = place + len(MPF)
    try:
        offsets = list(_offsets(segment[len(MPF) :]))
    except struct.error:
        return
    for offset in offsets:
        start = data[base + offset : base + offset + LOOKED_AT]
        if offset and start.startswith(b"\xff\xd8"):
            yield start


def _offsets(index: bytes) -> Iterator[int]:
    order = "<" if index.startswith(b"II") else ">"
    (fields,) = struct.unpack_from(f"{order}4xI", index)
    (count,) = struct.unpack_from(f"{order}H", index, fields)
    for at in range(min(count, MOST_FIELDS)):
        tag, _, length, first = struct.unpack_from(f"{order}HHII", index, fields + 2 + 12 * at)
        if tag == ENTRIES:
            for number in range(min(length // 16, MOST_IMAGES)):
                yield int(struct.unpack_from(f"{order}I", index, first + 16 * number + 8)[0])
