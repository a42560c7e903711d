"""Clients that trickle, idle or do not read: everybody else hardly notices."""

import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import numpy as np
import pytest

from tests import pictures
from tests.contract.client import Client
from tests.stack import Stack, until

HEAD = b"POST /v1/crops HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"


class Slow:
    """Connections that send what they have a byte at a time, and come again when cut off."""

    def __init__(self, port: int, count: int, opening: bytes, drip: bytes) -> None:
        self._port, self._opening, self._drip = port, opening, drip
        self._socks = [self._connect() for _ in range(count)]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._trickle)
        self.cut = 0

    def _connect(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        sock.sendall(self._opening)
        return sock

    def _trickle(self) -> None:
        while not self._over.wait(0.5):
            for number, sock in enumerate(self._socks):
                try:
                    sock.sendall(self._drip)
                except OSError:
                    self.cut += 1
                    sock.close()
                    with suppress(OSError):
                        self._socks[number] = self._connect()

    def __enter__(self) -> "Slow":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()
        for sock in self._socks:
            sock.close()


@contextmanager
def deaf(stack: Stack, count: int, path: str) -> Iterator[None]:
    """Connections that ask for *path* and read nothing."""
    with ExitStack() as socks:
        for _ in range(count):
            sock = socks.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", stack.port))
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        yield


@contextmanager
def silent(stack: Stack, count: int) -> Iterator[None]:
    """Connections kept alive after one answer."""
    with ExitStack() as socks:
        for _ in range(count):
            sock = socks.enter_context(socket.create_connection(("127.0.0.1", stack.port), 10))
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert sock.recv(15).startswith(b"HTTP/1.1 200")
        yield


def crop_seconds(api: Client, first: int, count: int = 15) -> float:
    """The median time from a submit to its bytes."""
    took = []
    for number in range(first, first + count):
        began = time.monotonic()
        answer = api.submit(pictures.unlike(number), wait=20, headers={"Accept": "image/*"})
        took.append(time.monotonic() - began)
        assert answer.status_code == 200, answer.text
    return statistics.median(took)


@pytest.mark.alone
def test_three_hundred_slow_clients_hardly_slow_another_one(
    make_stack: Callable[..., Stack], record_property
) -> None:
    stack = make_stack(workers=1)
    with Client(stack.url) as api:
        noise = np.random.default_rng(1).integers(0, 256, (1500, 1500, 3), np.uint8)
        large = api.crop(pictures.encode(noise))  # a result of 6 MB
        quiet = crop_seconds(api, 0)
        headers = Slow(stack.port, 100, HEAD, b"X")
        bodies = Slow(stack.port, 100, HEAD + b"Content-Length: 99999\r\n\r\n\x89PNG", b"\0")
        with (
            headers,
            bodies,
            silent(stack, 50),
            deaf(stack, 50, large["links"]["image"]),
        ):
            beset = crop_seconds(api, 100)
        after = crop_seconds(api, 200)
    for name, value in (("quiet", quiet), ("beset", beset), ("after", after)):
        record_property(f"{name}_ms", round(value * 1000))
    print(f"quiet {quiet * 1e3:.0f} ms, beset {beset * 1e3:.0f} ms, after {after * 1e3:.0f} ms")  # noqa: T201
    assert beset < 2 * quiet + 1  # promised: + 0.1, on a machine of its own


@pytest.mark.timeout(120)
def test_a_body_that_trickles_for_ever_is_cut_off_and_frees_its_place(
    make_stack: Callable[..., Stack],
) -> None:
    stack = make_stack(worker=False, queue_cap=1)
    sock = socket.create_connection(("127.0.0.1", stack.port), timeout=60)
    sock.sendall(HEAD + b"Content-Length: 99999\r\n\r\n\x89PNG")
    began, answered = time.monotonic(), threading.Event()

    def drip() -> None:
        with suppress(OSError):
            while not answered.wait(1):
                sock.sendall(b"\0")

    dripping = threading.Thread(target=drip)
    dripping.start()
    answer = sock.makefile("rb").read()
    answered.set()
    dripping.join()
    assert answer.startswith(b"HTTP/1.1 400"), answer[:200]
    assert b"incomplete-upload" in answer
    assert b"too slowly" in answer
    assert 25 < time.monotonic() - began < 50
    with Client(stack.url) as api:
        assert api.submit(pictures.png()).status_code == 202


def test_headers_that_trickle_are_cut_off(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(worker=False)
    with Slow(stack.port, 5, HEAD, b"X") as slow:
        until(lambda: slow.cut >= 5, seconds=15, what="all were cut off")


@pytest.mark.timeout(120)
def test_a_client_that_stops_reading_is_dropped(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(workers=1)
    with Client(stack.url) as api:
        noise = np.random.default_rng(1).integers(0, 256, (1500, 1500, 3), np.uint8)
        large = api.crop(pictures.encode(noise))
    web = stack.web.tree()[-1]

    def held() -> int:
        return sum(
            one.status == "ESTABLISHED"
            for one in web.net_connections("tcp")
            if one.laddr and one.laddr.port == stack.port
        )

    with deaf(stack, 20, large["links"]["image"]):
        until(lambda: held() >= 20, seconds=10, what="all are connected")
        until(lambda: held() == 0, seconds=75, what="all are dropped")
    assert "Traceback" not in stack.web.tail(200)
