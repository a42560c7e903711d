"""Bytes that are being sent are in memory once, however many slow clients take them.

When each answer had its own copy, 71 slow clients of one image of 21 MB cost the front end 2.1 GB;
now 0.7 GB, most of it buffers of the connections to Redis. When each read for itself, a crowd that
asked for that image at once took longer than Redis' timeout, and most of it got 503.
"""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from gevent.event import Event

PIECE = 256 * 1024  # bytes; a range of the bytes is cut from pieces, not from a copy of them all


class Held:
    """Bytes, in pieces; they are shared while one answer holds them."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __iter__(self) -> Iterator[bytes]:
        return (self.data[start : start + PIECE] for start in range(0, len(self.data), PIECE))


_held: WeakValueDictionary[tuple[str, int], Held] = WeakValueDictionary()


_reads: dict[Hashable, Event] = {}


def held(digest: str, length: int) -> Held | None:
    """Return the bytes with this SHA-256, if an answer holds them."""
    return _held.get((digest, length))


@contextmanager
def reading(key: Hashable) -> Iterator[None]:
    """Let others know that the block reads what *key* names."""
    over = _reads[key] = Event()
    try:
        yield
    finally:
        if _reads.get(key) is over:
            del _reads[key]
        over.set()


def await_reader(key: Hashable) -> bool:
    """Wait for the one that reads what *key* names. Return whether there was one."""
    over = _reads.get(key)
    return over is not None and over.wait()


def hold(digest: str, data: bytes) -> Held:
    """Return the bytes with this SHA-256: those that another answer holds already, or *data*."""
    return _held.setdefault((digest, len(data)), Held(data))
