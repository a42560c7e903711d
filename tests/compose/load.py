"""Load on a service that loses parts meanwhile: who was answered 202 must end."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import httpx

from tests.pictures import unlike
from tests.stack import BESIDE_OTHERS

CLIENTS = 6
TERMINAL = ("done", "failed", "canceled")
numbers = count(1)  # of all pictures sent in this run, so that no result is reused


@dataclass
class Load:
    """Jobs being submitted by some clients, and the ids that were acknowledged."""

    url: str
    wanted: int
    acknowledged: list[str] = field(default_factory=list)

    def submit(self, _number: int) -> None:
        """Submits until one job is acknowledged: a refused or broken submit is no job."""
        picture = unlike(next(numbers))
        while True:
            try:
                answer = httpx.post(
                    f"{self.url}/v1/crops?box=1,1,20,20",
                    content=picture,
                    headers={"Content-Type": "image/png"},
                    timeout=40,
                )
            except httpx.TransportError:
                time.sleep(0.1)
                continue
            if answer.status_code == 202:
                self.acknowledged.append(answer.json()["id"])
                return
            if answer.headers.get("content-type") == "application/problem+json":
                assert answer.status_code in (429, 503), answer.text
            time.sleep(0.1)  # else nobody of ours answered: its container is away

    def until(self, share: float) -> None:
        """Returns when that share of the jobs is acknowledged."""
        while len(self.acknowledged) < share * self.wanted:
            time.sleep(0.01)

    def states(self) -> dict[str, str]:
        """Each acknowledged job's state, or what was answered instead."""
        with httpx.Client(base_url=self.url, timeout=40) as client:
            return {job_id: _state(client, job_id) for job_id in self.acknowledged}

    def settle(self, seconds: float) -> dict[str, str]:
        """The states once all are terminal, or after *seconds* (more beside other tests)."""
        deadline = time.monotonic() + seconds * (4 if BESIDE_OTHERS else 1)
        states = self.states()
        while time.monotonic() < deadline and not all(s in TERMINAL for s in states.values()):
            time.sleep(0.2)
            states = self.states()
        return states


@contextmanager
def load(url: str, jobs: int) -> Iterator[Load]:
    """Submits *jobs* jobs beside the block; all are acknowledged when it is left."""
    running = Load(url, jobs)
    with ThreadPoolExecutor(CLIENTS) as pool:
        submits = [pool.submit(running.submit, number) for number in range(jobs)]
        yield running
    for submitted in submits:
        submitted.result()


def _state(client: httpx.Client, job_id: str) -> str:
    try:
        answer = client.get(f"/v1/crops/{job_id}")
    except httpx.TransportError as error:
        return f"no answer: {error}"
    if answer.status_code != 200:
        return f"{answer.status_code} {answer.json()['code']}"
    return str(answer.json()["state"])
