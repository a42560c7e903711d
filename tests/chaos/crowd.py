"""Closed-loop clients: each submits, waits for the end, and only then submits again.

Some vanish in the middle of an upload or of a wait, as clients do.
"""

import random
import socket
import threading
import time
from dataclasses import dataclass, field

import httpx

from cropsvc.store.incoming import MOST
from tests import pictures
from tests.chaos.ledger import Ledger, Promise

TERMINAL = ("done", "failed", "canceled")
PICTURES = 8
BROKEN = PICTURES  # the number of the picture that cannot be decoded
PAUSE = 0.1  # seconds before a refused client tries again
PATIENCE = 20.0  # seconds for one answer


def album(*, large: bool = False) -> list[bytes]:
    """The pictures of the crowd; the last one breaks off in the middle.

    With *large* the first one is followed by so many bytes that it is uploaded in parts.
    """
    sizes = [(320, 240), (640, 480), (800, 600), (1600, 1200)]
    good = [pictures.jpeg(*sizes[n % len(sizes)], seed=n) for n in range(PICTURES)]
    if large:
        good[0] += bytes(MOST + 1)
    return [*good, pictures.truncated(pictures.jpeg(640, 480, seed=99))]


@dataclass
class Tally:
    """What the crowd met with, added up."""

    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    accepted: int = 0
    vanished: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)  # answers that nobody may ever get

    def met(self, response: httpx.Response) -> None:
        """Counts an answer."""
        with self.lock:
            status = response.status_code
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status >= 500 and status != 503:
                self.strange.append(f"{status}: {response.text[:200]}")


class Crowd:
    """*clients* threads against one service, until told to stop."""

    def __init__(
        self, url: str, ledger: Ledger, *, clients: int, seed: int, large: bool = False
    ) -> None:
        self.tally = Tally()
        self.album = album(large=large)
        self._url, self._ledger = url, ledger
        self._stop = threading.Event()
        self._serial = iter(range(10**9))
        randoms = [random.Random(seed * 1000 + n) for n in range(clients)]
        self._threads = [threading.Thread(target=self._live, args=(r,)) for r in randoms]

    def start(self) -> None:
        """Lets them loose."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Lets each end what it does."""
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE * 3)

    def _live(self, rand: random.Random) -> None:
        with httpx.Client(base_url=self._url, timeout=PATIENCE) as client:
            while not self._stop.is_set():
                self._turn(client, rand)

    def _turn(self, client: httpx.Client, rand: random.Random) -> None:
        fate = rand.random()
        if fate < 0.04:
            self._vanish(rand)
            return
        promise = self._submit(client, rand)
        if promise is None:
            time.sleep(PAUSE)
        elif fate < 0.08:
            self._wait_and_vanish(promise)
        else:
            self._see_to_the_end(client, promise)

    def _submit(self, client: httpx.Client, rand: random.Random) -> Promise | None:
        broken = rand.random() < 0.03
        picture = BROKEN if broken else rand.randrange(PICTURES)
        box = self._box()
        try:
            response = client.post(
                "/v1/crops",
                params={"box": box, "size": "120x"},
                content=self.album[picture],
                headers={"Content-Type": "image/jpeg"},
            )
        except httpx.TransportError:
            return None  # whatever became of it: nothing was promised
        self.tally.met(response)
        if response.status_code != 202:
            return None
        promise = Promise(response.json()["id"], picture, box, broken)
        self._ledger.note(promise)
        with self.tally.lock:
            self.tally.accepted += 1
        return promise

    def _box(self) -> str:
        """A box nobody asked for before, so that no result is ever reused."""
        n = next(self._serial)
        return f"{n % 60},{n // 60 % 60},{150 + n // 3600},{120 + n % 7}"

    def _see_to_the_end(self, client: httpx.Client, promise: Promise) -> None:
        while not self._stop.is_set():
            try:
                response = client.get(f"/v1/crops/{promise.id}", params={"wait": 5})
            except httpx.TransportError:
                time.sleep(PAUSE)
                continue
            self.tally.met(response)
            if response.status_code == 200 and response.json()["state"] in TERMINAL:
                return
            time.sleep(PAUSE if response.status_code != 200 else 0)

    def _vanish(self, rand: random.Random) -> None:
        """Goes away in the middle of its upload."""
        data = self.album[rand.randrange(PICTURES)]
        head = f"POST /v1/crops HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n"
        self._say(f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + data[: len(data) // 2])

    def _wait_and_vanish(self, promise: Promise) -> None:
        """Goes away in the middle of its wait."""
        self._say(f"GET /v1/crops/{promise.id}?wait=20 HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def _say(self, words: bytes) -> None:
        address = httpx.URL(self._url)
        try:
            with socket.create_connection((address.host, address.port), timeout=2) as sock:
                sock.sendall(words)
                time.sleep(0.05)
        except OSError:
            return  # the front end is being restarted
        with self.tally.lock:
            self.tally.vanished += 1
