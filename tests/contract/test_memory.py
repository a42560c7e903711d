"""When the store's memory runs short: retained sources go first, then submits are refused."""

import numpy as np
import pytest

from tests import pictures
from tests.contract.client import Client, problem
from tests.stack import Stack

MEGABYTES = 64
SIDE = 1024  # a BMP of 3 MiB, a PNG of noise of 3 MiB


@pytest.fixture
def small(make_stack) -> Stack:
    return make_stack(maxmemory=f"{MEGABYTES}mb", workers=1)


def noise(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def test_retained_sources_make_room_and_never_cause_a_refusal(small: Stack) -> None:
    with Client(small.url) as api:
        jobs = []
        for seed in range(40):  # 120 MiB of sources, hardly any of results
            data = pictures.encode(noise(seed), "bmp")
            jobs.append(api.accept(api.submit(data, box="0,0,9,9", wait=20)))
        assert {job["state"] for job in jobs} == {"done"}
        assert api.get(jobs[-1]["links"]["source"]).status_code == 200
        problem(api.get(jobs[0]["links"]["source"]), 410, "expired")
        assert api.bytes_of(api.job(jobs[0]))


def test_results_that_fill_the_memory_lead_to_refusals_and_to_nothing_worse(small: Stack) -> None:
    with Client(small.url) as api:
        done = []
        for seed in range(40):
            response = api.submit(pictures.encode(noise(seed)), box="0,0,100%,1023", wait=20)
            if response.status_code != 202:
                break
            done.append(api.accept(response))
        problem(response, 429, "busy")
        assert int(response.headers["Retry-After"]) >= 1
        assert {job["state"] for job in done} == {"done"}
        assert all(api.bytes_of(api.job(job)) for job in done)
        api.delete(done[0]["links"]["self"])
        assert small.worker.running
        assert api.get("/healthz").status_code == 200
