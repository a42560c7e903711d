"""A network that takes time: forwards TCP and holds each piece back.

`python -m bench.delay HOST:PORT HOST:PORT SECONDS` listens on the first, forwards to the second,
and adds SECONDS to each direction. In place of `tc netem`, which not every kernel has.
"""

import socket
import sys
import threading
import time
from queue import SimpleQueue

PIECE = 1 << 16


def forward(listener: socket.socket, target: tuple[str, int], seconds: float) -> None:
    """Serves for ever; each connection has two threads in each direction."""
    while True:
        near, _ = listener.accept()
        far = socket.create_connection(target)
        for source, sink in ((near, far), (far, near)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pieces: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
            _begin(_read, source, pieces, seconds)
            _begin(_write, sink, pieces)


def _begin(function: object, *arguments: object) -> None:
    threading.Thread(target=function, args=arguments, daemon=True).start()  # type: ignore[arg-type]


def _read(source: socket.socket, pieces: SimpleQueue[tuple[float, bytes]], seconds: float) -> None:
    piece = b"-"
    while piece:
        try:
            piece = source.recv(PIECE)
        except OSError:
            piece = b""
        pieces.put((time.monotonic() + seconds, piece))


def _write(sink: socket.socket, pieces: SimpleQueue[tuple[float, bytes]]) -> None:
    while True:
        due, piece = pieces.get()
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            if not piece:
                sink.shutdown(socket.SHUT_WR)
                return
            sink.sendall(piece)
        except OSError:
            return


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    here, there, held = sys.argv[1:]
    with socket.create_server(_place(here)) as listener:
        forward(listener, _place(there), float(held))
