"""An upload while it comes: hashed and counted, and put away in parts once it is large.

Without an object store it stays in memory. With one, all uploads that are coming share ROOM: an
upload keeps MOST bytes in memory if it is alone, and LEAST if there are many. When it has more,
they go to the object store as one part. So no upload is whole in memory, and no store needs
to know multipart uploads, which leave hidden bytes behind when a process dies.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from threading import Condition
from typing import Protocol

from cropsvc.model.job import JobRef
from cropsvc.store.pointers import SOURCE_FIELD, PutAway, Stored, part_of, pointer_to

LEAST, MOST, ROOM = 512 * 1024, 8 * 1024**2, 32 * 1024**2  # bytes
READ_BACK = 32 * 1024**2  # bytes of uploads in parts that are read again at a time


class Parts(Protocol):
    """Where the parts of an upload go."""

    @property
    def keeps_objects(self) -> bool:
        """Whether there is an object store."""

    def put_part(self, stored: Stored, data: bytes) -> None:
        """Store a part. Raises StoreUnavailable."""

    def settle(self, parts: list[Stored]) -> None:
        """Delete the parts that nothing points to."""


@dataclass(frozen=True)
class Received:
    """An upload that has come whole: its size, its SHA-256 in hex, and its bytes or their place."""

    size: int
    sha256: str
    data: bytes | PutAway


def received(data: bytes) -> Received:
    """Return bytes that are in memory as an upload that has come."""
    return Received(len(data), hashlib.sha256(data).hexdigest(), data)


class Room:
    """Bytes of memory that are shared; who needs them waits for those before."""

    def __init__(self, size: int) -> None:
        self._size, self._taken, self._change = size, 0, Condition()

    def take(self, size: int) -> None:
        """Wait for *size* bytes; the first one to come gets more than there is."""
        with self._change:
            self._change.wait_for(lambda: not self._taken or self._taken + size <= self._size)
            self._taken += size

    def give(self, size: int) -> None:
        """Give them back."""
        with self._change:
            self._taken -= size
            self._change.notify_all()


class Incoming:
    """One upload as it comes. `close` must follow, whatever becomes of it."""

    _large = 0  # uploads of this process that are coming, and have LEAST bytes or more

    def __init__(
        self, store: Parts, ref: JobRef, seconds: float, check: Callable[[bytes], object]
    ) -> None:
        """*check* sees the first bytes before any is stored, and raises what refuses the upload.

        The parts are kept for *seconds* without a pointer.
        """
        self._store, self._ref, self._check = store, ref, check
        self._until = time.monotonic() + seconds
        self._name = f"{ref.owner}/{secrets.token_hex(16)}"
        self._parts: list[Stored] = []
        self._buffer = BytesIO()
        self._hash = hashlib.sha256()
        self.size = 0
        self._counts = False  # in `_large`

    def write(self, piece: bytes) -> None:
        """Take the next bytes. Raises StoreUnavailable, or what *check* raises."""
        self._hash.update(piece)
        self.size += len(piece)
        self._buffer.write(piece)
        if self.size >= LEAST and self._store.keeps_objects:
            self._count(True)
            if self._buffer.tell() >= max(LEAST, min(MOST, ROOM // Incoming._large)):
                self._put_part()

    def received(self) -> Received:
        """Return the upload; it has come whole. Raises StoreUnavailable."""
        self._count(False)
        if self._parts and self._buffer.tell():
            self._put_part()
        data: bytes | PutAway = self._buffer.getvalue()
        if self._parts:
            data = PutAway(pointer_to(self._name, len(self._parts)), self._until)
        return Received(self.size, self._hash.hexdigest(), data)

    def close(self) -> None:
        """Delete the parts that no job points to."""
        self._count(False)
        self._buffer = BytesIO()
        if self._parts:
            self._store.settle(self._parts)

    def _count(self, counts: bool) -> None:
        Incoming._large += counts - self._counts
        self._counts = counts

    def _put_part(self) -> None:
        data = self._buffer.getvalue()  # without a copy
        if not self._parts:
            self._check(data)
        part = Stored(part_of(self._name, len(self._parts)), self._ref.id, SOURCE_FIELD)
        self._parts.append(part)  # first: one that was stored half is deleted too
        self._store.put_part(part, data)
        self._buffer = BytesIO()


class _NoParts:
    """No object store."""

    keeps_objects = False

    def put_part(self, stored: Stored, data: bytes) -> None:
        raise NotImplementedError

    def settle(self, parts: list[Stored]) -> None:
        raise NotImplementedError


def in_memory() -> Incoming:
    """Return where to write what is small, and becomes no job."""
    return Incoming(_NoParts(), JobRef("-", "-"), 0, len)
