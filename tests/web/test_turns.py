"""A client that always has more to send holds up nobody else."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.stack import Stack

PIPELINED = 1500
OK = b"HTTP/1.1 200"
ONE_BYTE = b"1\r\nx\r\n"
BROKEN = {
    "size": b"zz\r\nab\r\n0\r\n\r\n",
    "cut": b"5\r\nab",
    "end": b"1\r\nabc\r\n",
    "trailer": b"1\r\na\r\n0\r\nno trailer\r\n\r\n",
}


@contextmanager
def connected(stack: Stack) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", stack.port), timeout=20) as sock:
        yield sock


def answer(stack: Stack, path: str, body: bytes, *, is_end: bool) -> bytes:
    """What a chunked body is answered with."""
    kind = "application/x-www-form-urlencoded" if path == "/login" else "image/png"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\n"
    with connected(stack) as sock:
        sock.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + body)
        if is_end:
            sock.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: sock.recv(65536), b""))


@pytest.mark.parametrize("path", ["/v1/crops", "/v1/archive"])
def test_a_body_of_tiny_chunks_is_refused_before_its_end(idle_stack: Stack, path: str) -> None:
    got = answer(idle_stack, path, ONE_BYTE * 10_500, is_end=False)
    assert got.startswith(b"HTTP/1.1 400 ")
    assert b"send larger chunks" in got


def test_some_small_chunks_and_many_large_ones_are_read(idle_stack: Stack) -> None:
    body = ONE_BYTE * 9_000 + b"80\r\n" + b"x" * 128 + b"\r\n"
    got = answer(idle_stack, "/v1/archive", body + b"0\r\n\r\n", is_end=False)
    assert b'"field": "entries"' in got


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("path", ["/v1/archive", "/v1/tokens", "/v1/detect", "/login"])
def test_broken_chunks_are_refused_everywhere(idle_stack: Stack, path: str, fault: str) -> None:
    assert answer(idle_stack, path, BROKEN[fault], is_end=True).startswith(b"HTTP/1.1 400 ")


def test_requests_one_after_another_let_other_clients_in(idle_stack: Stack) -> None:
    answered = bytearray()
    with connected(idle_stack) as greedy:

        def read() -> None:
            while data := greedy.recv(65536):
                answered.extend(data)

        def write() -> None:
            greedy.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * PIPELINED)
            greedy.shutdown(socket.SHUT_WR)

        threads = [threading.Thread(target=read), threading.Thread(target=write)]
        for thread in threads:
            thread.start()
        assert httpx.get(f"{idle_stack.url}/healthz", timeout=30).status_code == 200
        before = answered.count(OK)
        for thread in threads:
            thread.join(60)
    assert before < PIPELINED / 2
    assert answered.count(OK) == PIPELINED
