"""What the front end holds while many large uploads come at once: `python -m bench.uploads`.

All clients send their upload but for its last mebibyte, wait for each other, and send the rest.
So all uploads are under way together. Prints the highest resident size of the front end.
"""

import argparse
import http.client
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil

from tests.stack import Stack, running

MIB = 1024**2
PIECE = 256 * 1024
PHOTO = Path(__file__).parents[1] / "tests" / "photos" / "stream-6mp.jpg"


class Peak(threading.Thread):
    """Watches the resident size of a stack's front end: the processes that serve, in bytes."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True)
        self._stack, self._over = stack, threading.Event()
        self.idle = self.size = self._now()

    def run(self) -> None:
        while not self._over.wait(0.02):
            self.size = max(self.size, self._now())

    def end(self) -> None:
        """Stop watching."""
        self._over.set()
        self.join()

    def _now(self) -> int:
        total = 0
        for process in self._stack.web.tree()[1:]:
            with suppress(psutil.Error):
                total += process.memory_info().rss
        return total


def upload(stack: Stack, size: int, number: int, together: threading.Barrier) -> int:
    """Send an upload of *size* bytes, and return the answer's status."""
    body = PHOTO.read_bytes()
    mark = number.to_bytes(4, "big")
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=120)
    connection.putrequest("POST", "/v1/crops?size=10x10")
    connection.putheader("Content-Type", "image/jpeg")
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    pieces = [body, *[bytes(PIECE)] * ((size - len(body)) // PIECE)]
    rest = mark + bytes(size - sum(map(len, pieces)) - len(mark) + MIB)
    sent = 0
    with suppress(BrokenPipeError, ConnectionResetError):  # it was refused: the answer says why
        for piece in pieces:
            if sent + len(piece) > size - MIB:
                break
            connection.send(piece)
            sent += len(piece)
        with suppress(threading.BrokenBarrierError):
            together.wait(120)
        connection.send(rest[: size - sent])
    answer = connection.getresponse()
    status = answer.status
    if status != 202:
        together.abort()
        sys.stderr.write(f"{status}: {answer.read().decode()[:300]}\n")
    connection.close()
    return status


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.uploads")
    parser.add_argument("--blobs", default="", help="a directory by default; `redis` for none")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--mib", type=int, default=32)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        blobs = chosen.blobs or f"file://{directory}/objects"
        settings = {"blobs": blobs, "web_workers": 1}
        with running(Path(directory) / "stack", workers=1, **settings) as stack:
            peak = Peak(stack)
            peak.start()
            began = time.monotonic()
            together = threading.Barrier(chosen.count)
            with ThreadPoolExecutor(chosen.count) as threads:
                sends = [
                    threads.submit(upload, stack, chosen.mib * MIB, number, together)
                    for number in range(chosen.count)
                ]
                statuses = Counter(one.result() for one in sends)
            took = time.monotonic() - began
            peak.end()
    print(
        f"{chosen.count} uploads of {chosen.mib} MiB at once, {blobs.partition(':')[0]}: "
        f"front end {peak.size / MIB:.0f} MiB at most, {peak.idle / MIB:.0f} MiB before; "
        f"{took:.1f} s, answers {dict(statuses)}"
    )
    return 0 if set(statuses) == {202} else 1


if __name__ == "__main__":
    sys.exit(main())
