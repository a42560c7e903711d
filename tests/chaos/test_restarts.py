"""Orderly restarts under load, and a store that answers but takes no writes."""

import random
import signal
import time
from pathlib import Path

import pytest
from rq.serializers import JSONSerializer

from cropsvc.queues.rq.queue import CropJob
from tests import pictures
from tests.chaos.campaign import FULL
from tests.contract.client import Client, problem
from tests.stack import ROOT
from tests.worker.conftest import Bench


@pytest.mark.timeout(180)
def test_terminated_workers_lose_and_fail_nothing(make_stack) -> None:
    stack = make_stack(workers=2)
    with Client(stack.url) as api:
        bench, jobs = Bench(stack, api), []
        for restart in range(6):
            jobs += [api.accepted(pictures.unlike(restart * 20 + n))["id"] for n in range(20)]
            bench.ended(jobs[-20])  # the workers are at it
            stack.worker.signal(signal.SIGTERM)
            assert stack.worker.join(20) == 0
            stack.worker.start()
        assert {bench.ended(job_id, 30)["state"] for job_id in jobs} == {"done"}
        runs = [int(stack.redis().hget(f"cropsvc:job:-:{job_id}", "runs")) for job_id in jobs]
        assert max(runs) <= 2


def test_a_store_that_takes_no_writes_is_not_ready_and_ends_no_worker(bench: Bench) -> None:
    """As with a full disk under the append-only file: a PING is answered, a write is not."""
    worker = bench.stack.worker.pid
    bench.redis.config_set("min-replicas-to-write", 1)
    try:
        assert bench.redis.ping()
        bench.until(lambda: bench.api.get("/readyz").status_code == 503, "not ready", 5)
        problem(bench.api.submit(pictures.png()), 503, "unavailable")
        time.sleep(3)  # several heartbeats and rounds of maintenance
    finally:
        bench.redis.config_set("min-replicas-to-write", 0)
    assert bench.ended(bench.submit())["state"] == "done"
    assert (bench.stack.worker.pid, bench.stack.worker.running) == (worker, True)


def test_a_job_of_ours_is_retried_at_once_and_often_enough(bench: Bench) -> None:
    """A delayed retry would need RQ's scheduler, and leaves its transaction."""
    held = bench.held()
    job = CropJob.fetch(held.id, connection=bench.redis, serializer=JSONSerializer)
    assert job.retries_left == 4
    assert not any(job.retry_intervals or [])
    held.go_on()


def test_no_code_of_ours_has_rq_clean_up_in_the_caller() -> None:
    """RQ's `registry.count`, and `get_job_ids()` unless told not to, run its maintenance."""
    for path in Path(ROOT / "cropsvc").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "registry.count" not in text, path
        for call in text.split("registry.get_job_ids(")[1:]:
            assert call.split(")")[0].endswith("cleanup=False"), path


def test_the_full_campaign_kills_as_often_as_it_promises() -> None:
    events = FULL.plan.events(random.Random(1))
    assert events.count("kill") >= 50
    assert events.count("store-kill") >= 5
    assert "store-stop 10.0" in events
    assert events.count("web") >= 1
