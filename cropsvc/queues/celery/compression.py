"""Compressed messages: a worker unpacks zlib only, and no more than a message may hold.

kombu unpacks a message when it arrives, before anybody looks at it, by any method that it knows
and without a bound: 1 MB can become 1 GB in the worker. Such a message would end one worker after
another, until RabbitMQ gives it up.
"""

import zlib
from functools import partial
from typing import Any

from kombu import compression

METHODS: Any = compression  # kombu leaves it untyped
ZLIB = "application/x-gzip"  # kombu's name for it


class UnpackError(ValueError):
    """A message that is not unpacked. kombu drops it, with a line in the log."""


def bound(most: int) -> None:
    """Let messages of this process unpack to at most *most* bytes."""
    for kind in METHODS.encoders():
        encoder, _ = METHODS.get_encoder(kind)
        decoder = partial(_unpacked, most) if kind == ZLIB else partial(_refused, kind)
        METHODS.register(encoder, decoder, kind)


def _unpacked(most: int, body: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(body, most)
    if not unpacking.eof:
        raise UnpackError(f"the message is cut off, or unpacks to more than {most} bytes")
    return data


def _refused(kind: str, _body: bytes) -> bytes:
    raise UnpackError(f"messages packed by {kind} are not read; send {ZLIB}, or plain ones")
