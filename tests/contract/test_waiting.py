"""Three hundred clients that wait at once cost little: others are served, and all are woken."""

import json
import selectors
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime

import pytest

from tests import pictures
from tests.contract.client import Client, Json
from tests.stack import Stack

EACH = 150

pytestmark = pytest.mark.alone  # it tells how soon an answer comes


class Crowd:
    """Raw connections that wait for one job, half of them by `wait`, half by its events."""

    def __init__(self, port: int, job: Json, closing: ExitStack) -> None:
        paths = [f"{job['links']['self']}?wait=20", job["links"]["events"]]
        self._selector = closing.enter_context(selectors.DefaultSelector())
        self._received: dict[socket.socket, bytes] = {}
        for path in paths * EACH:
            talk = closing.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            talk.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            self._selector.register(talk, selectors.EVENT_READ)
            self._received[talk] = b""

    def heard(self, text: str, count: int, *, seconds: float) -> float:
        """When *count* of them had received *text*, on the monotonic clock."""
        deadline = time.monotonic() + seconds
        while self._count(text) < count:
            assert time.monotonic() < deadline, f"{self._count(text)} of {count} heard {text}"
            for key, _ in self._selector.select(timeout=0.1):
                self._read(key.fileobj)  # type: ignore[arg-type]
        return time.monotonic()

    def _read(self, talk: socket.socket) -> None:
        data = talk.recv(65536)
        self._received[talk] += data
        if not data:
            self._selector.unregister(talk)

    def _count(self, text: str) -> int:
        return sum(text.encode() in data for data in self._received.values())


@pytest.fixture(scope="module")
def idle(idle_module_stack: Stack) -> Stack:
    return idle_module_stack


@pytest.fixture(scope="module")
def api(idle: Stack) -> Iterator[Client]:
    with Client(idle.url) as client:
        yield client


def test_three_hundred_waiters_leave_room_for_others_and_are_all_woken(
    idle: Stack, api: Client
) -> None:
    job = api.accepted(pictures.png())
    with ExitStack() as closing:
        crowd = Crowd(idle.port, job, closing)
        crowd.heard(job["id"], EACH, seconds=30)  # the streams' first events
        times = [api.get("/healthz").elapsed.total_seconds() for _ in range(50)]
        assert statistics.median(times) <= 0.05
        uploads = [api.submit(pictures.unlike(n)) for n in range(20)]
        assert {response.status_code for response in uploads} == {202}
        assert max(response.elapsed.total_seconds() for response in uploads) < 2
        canceled = json.dumps({"state": "canceled"})[1:-1]
        assert api.delete(job["links"]["self"]).status_code == 204
        answered = time.monotonic()
        woken = crowd.heard(canceled, 2 * EACH, seconds=20) - answered
        assert woken < 2  # 300 answers on a machine that also runs the tests


def test_one_waiter_is_woken_at_once(idle: Stack, api: Client) -> None:
    idle.start_worker()
    latest = []
    for n in range(20):
        job = api.accept(api.submit(pictures.unlike(500 + n), wait=20))
        heard = time.time()
        latest.append(heard - datetime.fromisoformat(job["ended_at"]).timestamp())
    assert statistics.median(latest) < 0.1  # the bench holds the finer figure
