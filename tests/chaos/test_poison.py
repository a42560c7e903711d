"""Poisonous crops: each costs at most two attempts and its limit, and nobody else anything."""

import signal
import time

from tests import pictures
from tests.contract.client import Client
from tests.worker.conftest import Bench

LIMIT = 6  # seconds, as in conftest.py
SLACK = 4  # promised: 1, on a machine of its own


def runs(bench: Bench, job_id: str) -> int:
    return int(bench.redis.hget(f"cropsvc:job:-:{job_id}", "runs") or 0)


def test_an_endless_crop_costs_one_attempt_and_its_limit(bench: Bench) -> None:
    worker, began, held = bench.stack.worker.pid, time.monotonic(), bench.held()
    others = [bench.submit() for _ in range(3)]
    job = bench.ended(held.id, LIMIT + 10)
    assert (job["state"], job["error"]["code"]) == ("failed", "timed-out")
    print(f"{time.monotonic() - began:.2f} s, of a limit of {LIMIT}")  # noqa: T201
    assert time.monotonic() - began < LIMIT + SLACK
    assert [bench.ended(one)["state"] for one in others] == ["done"] * 3
    assert runs(bench, held.id) <= 1
    assert (bench.stack.worker.pid, bench.stack.worker.running) == (worker, True)


def test_a_segfaulting_crop_costs_two_attempts(bench: Bench) -> None:
    worker, held = bench.stack.worker.pid, bench.held()
    others = [bench.submit() for _ in range(3)]
    held.kill(signal.SIGSEGV)
    bench.until(lambda: bench.crop_process().pid != held.process.pid, "a second crop process")
    bench.crop_process().send_signal(signal.SIGSEGV)  # long before it has loaded Pillow
    job = bench.ended(held.id)
    assert (job["state"], job["error"]["code"]) == ("failed", "crop-failed")
    assert "Traceback" not in str(job)
    assert [bench.ended(one)["state"] for one in others] == ["done"] * 3
    assert runs(bench, held.id) <= 2
    assert (bench.stack.worker.pid, bench.stack.worker.running) == (worker, True)


def test_crops_that_eat_memory_fail_alone(make_stack) -> None:
    stack = make_stack(workers=1, job_memory="300MiB")
    with Client(stack.url) as api:
        bench = Bench(stack, api)
        worker, crop = stack.worker.pid, bench.crop_process().pid
        bombs = [api.accepted(pictures.png(50, 40 + n), size="16384x16384")["id"] for n in range(3)]
        others = [bench.submit() for _ in range(3)]
        for one in bombs:
            job = bench.ended(one, 30)
            assert (job["state"], job["error"]["code"]) == ("failed", "out-of-memory")
            assert runs(bench, one) <= 2
        assert [bench.ended(one, 30)["state"] for one in others] == ["done"] * 3
        assert (stack.worker.pid, stack.worker.running) == (worker, True)
        # Each crop process was refused the memory and lived; then a fresh one took its place.
        assert not [key for key in bench.redis.hkeys("cropsvc:counts") if b"deaths" in key]
        assert bench.crop_process().pid != crop
