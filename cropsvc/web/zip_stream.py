"""A ZIP of stored files, written as it is read: no more than one file is held at a time.

Its bytes follow from the names and files alone, so a first pass gives length and digest.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from io import RawIOBase
from itertools import groupby
from pathlib import PurePosixPath

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time of a ZIP entry
LONGEST_NAME = 120  # characters
SMALL = 64 * 1024  # bytes that are sent together with what comes before and after them
UNSAFE = re.compile(r"[^\w .()+,@=~-]")
IMAGE_SUFFIX = re.compile(
    r"\.(jpe?g|jpe|jfif|png|apng|webp|gif|avif|tiff?|bmp|dib|hei[cf]|jxl|svg)$", re.IGNORECASE
)
# Names that Windows keeps for devices, with any suffix (learn.microsoft.com, "Naming Files").
DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
Entry = tuple[str, bytes]


class _Pieces(RawIOBase):
    """What was written since it was taken last; it cannot be seeked."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # zipfile writes bytes
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> Iterator[bytes]:
        parts, self._parts = self._parts, []
        for is_small, some in groupby(parts, lambda part: len(part) < SMALL):
            if is_small:
                yield b"".join(some)
            else:
                yield from some  # no copies: another answer may be sending the same bytes


def zipped(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the ZIP of these names and files, piece by piece."""
    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED) as archive:
        for name, data in entries:
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
            yield from pieces.take()
    yield from pieces.take()


class SafeNames:
    """Makes names that are safe to unpack and differ, without regard to case."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, wanted: str, suffix: str) -> str:
        """Return a name like *wanted*, with this suffix."""
        last = PurePosixPath(wanted.replace("\\", "/")).name
        stem = IMAGE_SUFFIX.sub("", UNSAFE.sub("_", last).strip(" ."))[:LONGEST_NAME].strip(" .")
        stem = f"_{stem}" if DEVICE.match(stem) else stem or "image"
        name, count = f"{stem}.{suffix}", 1
        while name.casefold() in self._taken:
            count += 1
            name = f"{stem} ({count}).{suffix}"
        self._taken.add(name.casefold())
        return name
