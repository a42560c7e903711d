"""Counts a process's socket sends and receives into a file, for bench/profile.py.

Python imports this at its start when the directory is on PYTHONPATH. Plain sockets only: those
of gevent send below this level.
"""

import mmap
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any

COUNTS = struct.Struct("qq")  # sends, receives
SENDS, RECEIVES = 0, 1
ROLES = (
    "cropsvc.cropping.sandbox",
    "worker.py",
    "bench.peers.rq_plain",
    "celery",
    "gunicorn",
    "thumbor",
)


class Counter:
    """The counts of this process; a fork gets its own."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)
        self._role = next((role for role in ROLES if role in " ".join(sys.orig_argv)), "other")
        self.open("")

    def open(self, kind: str) -> None:
        """A new file for this process."""
        path = self._directory / f"{self._role}{kind}~{os.getpid()}"
        path.write_bytes(bytes(COUNTS.size))
        with path.open("r+b") as file:
            self._view = mmap.mmap(file.fileno(), COUNTS.size)

    def add(self, what: int) -> None:
        """One more."""
        counts = list(COUNTS.unpack_from(self._view))
        counts[what] += 1
        COUNTS.pack_into(self._view, 0, *counts)


def install(directory: str) -> None:
    """Wraps the methods of `socket.socket`, which inherits them from C."""
    counter = Counter(directory)
    os.register_at_fork(after_in_child=lambda: counter.open(" (fork)"))
    for what, names in ((SENDS, ("send", "sendall")), (RECEIVES, ("recv", "recv_into"))):
        for name in names:
            setattr(socket.socket, name, counted(getattr(socket.socket, name), counter, what))


def counted(method: Any, counter: Counter, what: int) -> Any:
    """*method*, counted."""

    def call(self: socket.socket, *arguments: Any) -> Any:
        counter.add(what)
        return method(self, *arguments)

    return call


if "BENCH_COUNTS" in os.environ:
    install(os.environ["BENCH_COUNTS"])
