"""Requests that never stop while something is changed, and what came of each."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import httpx

from tests.pictures import unlike

numbers = count(1_000_000)  # of the pictures: no two alike


class Trickle:
    """Crops that are asked for one after the other, with their bytes, until the end."""

    def __init__(self, url: str, headers: dict[str, str], *, keep: bool) -> None:
        self.told: Counter[str] = Counter()  # how often each status, or kind of failure
        self._headers = {"Content-Type": "image/png", "Accept": "image/*", **headers}
        self._client = httpx.Client(base_url=url, timeout=40, headers=self._headers)
        if not keep:
            self._client.headers["Connection"] = "close"
        self._over = threading.Event()

    def run(self) -> None:
        """Asks until `end` is called."""
        with self._client as client:
            while not self._over.wait(0.05):
                try:
                    answer = client.post("/v1/crops?wait=30", content=unlike(next(numbers)))
                    self.told[str(answer.status_code)] += 1
                except httpx.TransportError as error:
                    self.told[type(error).__name__] += 1

    def end(self) -> None:
        """No further request."""
        self._over.set()


@contextmanager
def trickle(url: str, headers: dict[str, str] | None = None) -> Iterator[Counter[str]]:
    """Two clients beside the block, one of which keeps its connection; what they were told."""
    told: Counter[str] = Counter()
    clients = [Trickle(url, headers or {}, keep=keep) for keep in (True, False)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        for client in clients:
            client.end()
        for thread in threads:
            thread.join()
        for client in clients:
            told.update(client.told)
