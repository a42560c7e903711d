"""Many clients at once with all they can do: each job ends as it should, and nothing is left.

200 jobs; 1,000 with CI=true or CROPSVC_TEST_SOAK=1000.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest

from tests import pictures
from tests.contract.client import Client, Json
from tests.stack import Stack, until

CLIENTS = 50
JOBS = int(os.environ.get("CROPSVC_TEST_SOAK", "1000" if os.environ.get("CI") == "true" else "200"))
RESULT_TTL = 12
PATIENCE = 60  # seconds for one job under this load

IMAGES = [
    pictures.png(64, 48),
    pictures.png(200, 150),
    pictures.jpeg(640, 480),
    pictures.encode(pictures.photo(120, 90), "webp"),
    pictures.animation("gif", frames=3),
    pictures.translucent(),
]
BROKEN = pictures.truncated(pictures.jpeg(320, 240, seed=99))


@dataclass
class Tally:
    """What came of it."""

    ends: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    jobs: list[str] = field(default_factory=list)


class Visitor:
    """One client with its own luck; counts each answer's status."""

    def __init__(self, url: str, tally: Tally, seed: int) -> None:
        self.luck = random.Random(seed)
        self.tally = tally
        self.number = seed
        self.api = Client(url, event_hooks={"response": [self._count]})

    def _count(self, response: httpx.Response) -> None:
        self.tally.statuses[response.status_code] += 1

    def run(self, jobs: int) -> None:
        """Submits this many jobs, each followed in a way of its own to its end."""
        ways = (self.waits, self.polls, self.cancels, self.repeats, self.breaks, self.takes_bytes)
        with self.api:
            for _ in range(jobs):
                way: Callable[[], None] = self.luck.choice(ways)
                way()

    def parameters(self) -> dict[str, object]:
        """A valid request, drawn from what the contract offers."""
        luck = self.luck
        drawn: dict[str, object] = {
            "box": f"{luck.randint(0, 30)}%,{luck.randint(0, 9)},{luck.randint(5, 70)}%,9",
            "format": luck.choice(("auto", "png", "jpeg", "webp", "gif")),
            "quality": luck.randint(1, 100),
        }
        extra: list[dict[str, object]] = [
            {"size": f"{luck.randint(1, 200)}x{luck.randint(1, 200)}"},
            {"size": "50x", "enlarge": "false"},
            {"aspect": "16:9", "anchor": "top"},
            {"rotate": luck.choice((90, 180, 270))},
            {"outputs": '[{},{"size":"9x9"}]'},
            {},
        ]
        return drawn | luck.choice(extra)

    def submitted(self, data: bytes, **params: object) -> Json:
        """The job; a busy service is asked again after as long as it says."""
        deadline = time.monotonic() + PATIENCE
        while True:
            response = self.api.submit(data, **params)
            if response.status_code != 429 or time.monotonic() > deadline:
                break
            time.sleep(min(2, int(response.headers["Retry-After"])))
        job = self.api.accept(response)
        self.tally.jobs.append(job["id"])
        return job

    def ended(self, job: Json, *states: str) -> Json:
        deadline = time.monotonic() + PATIENCE
        while (job := self.api.job(job, wait=10))["state"] in ("queued", "running"):
            assert time.monotonic() < deadline, f"not ended within {PATIENCE} s: {job}"
        assert job["state"] in states, f"{job['state']}: {job['error']} {job}"
        self.tally.ends[job["state"]] += 1
        return job

    # the ways to use the service

    def waits(self) -> None:
        job = self.submitted(self.luck.choice(IMAGES), **self.parameters())
        self.fetches(self.ended(job, "done"))

    def polls(self) -> None:
        job = self.submitted(self.luck.choice(IMAGES), **self.parameters())
        progress = [job["progress"]]
        while (now := self.api.job(job))["state"] in ("queued", "running"):
            progress.append(now["progress"])
            time.sleep(0.05)
        assert progress == sorted(progress)
        self.fetches(self.ended(job, "done"))

    def cancels(self) -> None:
        job = self.submitted(self.luck.choice(IMAGES), **self.parameters())
        assert self.api.delete(job["links"]["self"]).status_code == 204
        # It may have ended before, and then the DELETE removed it.
        answer = self.api.get(job["links"]["self"], params={"wait": 10})
        if answer.status_code == 410:
            assert answer.json()["code"] == "deleted"
            self.tally.ends["deleted"] += 1
            return
        self.ended(job, "canceled")

    def repeats(self) -> None:
        data, params = self.luck.choice(IMAGES), self.parameters()
        self.number += 1000
        params["headers"] = {"Idempotency-Key": f"soak-{self.number}"}
        job = self.submitted(data, **dict(params))
        assert self.api.accepted(data, **dict(params))["id"] == job["id"]
        self.fetches(self.ended(job, "done"))
        params.pop("headers")
        assert self.submitted(data, **params)["cached"] is True

    def breaks(self) -> None:
        job = self.ended(self.submitted(BROKEN, **self.parameters()), "failed")
        assert job["error"]["code"] == "unreadable"
        refused = self.api.submit(b"no image")
        assert refused.json()["code"] == "unsupported-format"

    def takes_bytes(self) -> None:
        params = self.parameters()
        headers = {"Accept": "image/*"}
        response = self.api.submit(self.luck.choice(IMAGES), wait=20, headers=headers, **params)
        if response.status_code == 200:
            self.tally.ends["bytes"] += 1
            assert min(pictures.decode(response.content).shape) >= 1
            return
        assert response.status_code in (202, 429), response.text

    def fetches(self, job: Json) -> None:
        for output in job["outputs"]:
            assert min(pictures.decode(self.api.bytes_of(job, output["name"])).shape) >= 1


@pytest.fixture
def soaked(make_stack) -> Stack:
    return make_stack(result_ttl=RESULT_TTL, source_ttl=6)


def test_many_clients_at_once(soaked: Stack) -> None:
    tally = Tally()
    with ThreadPoolExecutor(CLIENTS) as pool:
        each = max(1, JOBS // CLIENTS)
        visits = [pool.submit(Visitor(soaked.url, tally, n).run, each) for n in range(CLIENTS)]
        for visit in visits:
            visit.result()
    server_errors = {status: n for status, n in tally.statuses.items() if status >= 500}
    assert not server_errors, tally
    assert sum(tally.ends.values()) >= 0.9 * each * CLIENTS, tally
    _assert_nothing_is_left(soaked, tally.jobs)


def _assert_nothing_is_left(stack: Stack, jobs: list[str]) -> None:
    """After the TTL what is left does not grow with the jobs: some keys of the queue's own."""
    ids = {id_.encode() for id_ in jobs}

    def left() -> list[bytes]:
        keys = list(redis.scan_iter(count=5000))
        return [key for key in keys if any(id_ in key for id_ in ids)]

    with stack.redis() as redis:
        try:
            until(lambda: not left(), seconds=RESULT_TTL + 20, what="no key holds a job's id")
        except TimeoutError:
            assert left() == []
        until(lambda: redis.dbsize() < 40, seconds=20, what=f"{redis.dbsize()} keys become < 40")
