"""Figures that are the same whichever front end process answers."""

import os
import signal

from tests import pictures
from tests.contract.client import Client
from tests.processes import crop_processes
from tests.stack import until

JOBS = 24


def figures(api: Client) -> dict[str, float]:
    """Every sample of a scrape, by its name and labels."""
    text = api.get("/metrics", headers={"Connection": "close"}).text
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if not line.startswith("#")
    }


def test_two_front_ends_and_two_workers_tell_exactly_what_was_done(make_stack) -> None:
    stack = make_stack(web_workers=2, workers=2, job_timeout=2)
    with Client(stack.url) as api:
        ids = [
            api.accepted(pictures.png(30 + seed, 20), headers={"Connection": "close"})["id"]
            for seed in range(JOBS)
        ]
        for job_id in ids:
            assert api.ended({"id": job_id})["state"] == "done"
        again = api.crop(pictures.png(30, 20))
        assert again["cached"]
        sent = len(api.bytes_of(again))
        assert api.submit(b"no picture").status_code == 415

        def complete() -> dict[str, float] | None:
            now = figures(api)
            submits = now.get('cropsvc_requests_total{endpoint="api.submit",status="202"}')
            return now if submits == JOBS + 1 else None

        told = until(complete, seconds=5, what="both processes have told their counts")
    assert told['cropsvc_jobs_total{outcome="done",reason=""}'] == JOBS
    assert told['cropsvc_jobs_total{outcome="done",reason="cached"}'] == 1
    assert told['cropsvc_requests_total{endpoint="api.submit",status="415"}'] == 1
    assert told['cropsvc_bytes_total{direction="out"}'] == sent
    assert told["cropsvc_job_run_seconds_count"] == JOBS
    assert told["cropsvc_job_wait_seconds_count"] == JOBS
    assert told["cropsvc_workers"] == 2
    assert told["cropsvc_queue_depth"] == 0


def test_failures_cancels_and_deaths_are_counted_by_their_reason(make_stack) -> None:
    stack = make_stack(workers=1, job_timeout=1)
    with Client(stack.url) as api:
        pid = crop_process(stack)
        os.kill(pid, signal.SIGSTOP)
        overdue = api.accepted(pictures.png(20, 20))
        waiting = api.accepted(pictures.png(21, 20))
        api.delete(f"/v1/crops/{waiting['id']}")
        assert api.ended(overdue)["state"] == "failed"
        told = figures(api)
    assert told['cropsvc_jobs_total{outcome="failed",reason="timed-out"}'] == 1
    assert told['cropsvc_jobs_total{outcome="canceled",reason=""}'] == 1
    assert told['cropsvc_crop_process_deaths_total{reason="overdue"}'] == 1


def crop_process(stack) -> int:
    """The process id of the worker's crop process."""

    def found() -> int | None:
        return next((process.pid for process in crop_processes(stack.worker.tree())), None)

    return until(found, seconds=10, what="a crop process")


def test_without_redis_the_figures_say_just_that_and_nothing_is_forgotten(make_stack) -> None:
    stack = make_stack(worker=False)
    with Client(stack.url) as api:
        assert figures(api)["cropsvc_redis_up"] == 1
        stack.kill(stack.valkey)
        response = api.get("/metrics")
        assert response.status_code == 200
        assert figures(api) == {"cropsvc_redis_up": 0}
        assert api.submit(pictures.png()).status_code == 503
        stack.start_valkey()
        told = figures(api)
    assert told["cropsvc_redis_up"] == 1
    assert told['cropsvc_problems_total{code="unavailable"}'] == 1


def test_a_redis_that_refuses_writes_is_down_but_its_metrics_are_shown(make_stack) -> None:
    stack = make_stack(worker=False)
    with Client(stack.url) as api, stack.redis() as redis:
        redis.config_set("maxmemory", "1")
        told = figures(api)
        redis.config_set("maxmemory", "0")
        assert figures(api)["cropsvc_redis_up"] == 1
    assert told["cropsvc_redis_up"] == 0
    assert told["cropsvc_redis_memory_limit_bytes"] == 1
    assert told["cropsvc_workers"] == 0
