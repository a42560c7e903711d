"""Requests take turns, so that no client can hold the process.

gevent switches only where a socket has nothing to read. A client that sends faster than its bytes
are parsed is never interrupted, and no timeout fires. 7 MB of chunks with one byte each delayed
all other clients by 30 s, requests sent one after another by 9 s, and a form full of things that
look like its boundary by 8 s.
"""

import time
from collections.abc import Iterator
from typing import Any

import gevent
from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import ParseException

TURN_SECONDS = 0.005
FREE_CHUNKS = 10_000  # of any size, in one body
LEAST_BYTES = 64  # on average, in each chunk after those


class TinyChunks(ParseException):  # type: ignore[misc]  # gunicorn ships no types
    """A chunked body with more framing than bytes."""

    def __str__(self) -> str:
        return (
            f"the body has over {FREE_CHUNKS} chunks of less than {LEAST_BYTES} bytes; "
            "send larger chunks"
        )


class Turn:
    """The time that one greenlet has had since it last let the others run."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def pass_on(self) -> None:
        """Let the others run if the turn is over."""
        if time.monotonic() - self._began > TURN_SECONDS:
            gevent.sleep(0)
            self._began = time.monotonic()


class TurnStream:
    """The pieces of a body as a stream whose reader takes turns."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._turn = Turn()

    def read(self, size: int) -> bytes:
        """Return the next piece, whatever *size* says; nothing at the end."""
        self._turn.pass_on()
        return next(self._pieces, b"")


def bound_chunks(req: Any) -> None:
    """Make a request's chunked body take turns, and refuse it if its chunks are tiny.

    Reading it then raises TinyChunks.
    """
    reader = req.body and req.body.reader
    if isinstance(reader, ChunkedReader):
        reader.parser = _bounded(reader.parser)


def _bounded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    turn, count, length = Turn(), 0, 0
    for piece in pieces:
        count, length = count + 1, length + len(piece)
        if count > FREE_CHUNKS + length // LEAST_BYTES:
            raise TinyChunks
        turn.pass_on()
        yield piece
