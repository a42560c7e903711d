"""RQ's own tools keep working on the lean worker."""

import os
import signal
import subprocess
import sys
import time

import pytest
from rq.command import send_kill_horse_command, send_shutdown_command, send_stop_job_command
from rq.serializers import JSONSerializer

from cropsvc.queues.rq.queue import QUEUE, CropQueue
from tests.contract.client import Client
from tests.processes import lives
from tests.stack import ROOT
from tests.worker.conftest import Bench


def rq(bench: Bench, *arguments: str) -> str:
    """What RQ's command line prints."""
    command = [sys.executable, "-m", "rq.cli", *arguments, "-u", bench.stack.redis_url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_rq_info_shows_the_queue_and_the_worker(bench: Bench) -> None:
    text = rq(bench, "info")
    assert QUEUE in text
    assert "1 workers" in text
    assert f"(pid {bench.workers()[0].pid})" in text or str(bench.workers()[0].pid) in text


def test_the_worker_shows_its_state_its_job_and_its_counts(bench: Bench) -> None:
    before = bench.workers()[0]
    held = bench.held()
    busy = bench.workers()[0]
    assert busy.get_state() == "busy"
    assert busy.get_current_job_id() == held.id
    held.go_on()
    bench.ended(held.id)
    bench.until(
        lambda: bench.workers()[0].successful_job_count == before.successful_job_count + 1,
        "one more success",
    )
    bench.until(lambda: bench.workers()[0].get_state() == "idle", "idle again", 5)
    assert bench.workers()[0].total_working_time > before.total_working_time


def test_a_failed_crop_is_a_failed_job_of_rq_with_its_reason(bench: Bench) -> None:
    before = bench.workers()[0].failed_job_count
    held = bench.held()
    bench.ended(held.id)
    bench.until(lambda: bench.rq_status(held.id) == "failed", "RQ sees the failure")
    queue = CropQueue(connection=bench.redis)
    assert held.id in queue.failed_job_registry.get_job_ids(cleanup=False)
    result = queue.fetch_job(held.id).latest_result()
    assert result.exc_string.startswith("timed-out: ")
    assert bench.workers()[0].failed_job_count == before + 1


def test_suspend_stops_the_taking_of_jobs_and_resume_goes_on(bench: Bench) -> None:
    rq(bench, "suspend")
    try:
        bench.until(lambda: bench.workers()[0].get_state() == "suspended", "it is suspended", 10)
        job_id = bench.submit()
        assert bench.api.get(f"/v1/crops/{job_id}?wait=2").json()["state"] == "queued"
    finally:
        rq(bench, "resume")
    assert bench.ended(job_id, 10)["state"] == "done"


def test_a_stop_command_cancels_the_running_job(bench: Bench) -> None:
    held = bench.held()
    send_stop_job_command(bench.redis, held.id, serializer=JSONSerializer)
    assert bench.ended(held.id, 2)["state"] == "canceled"
    bench.until(lambda: bench.rq_status(held.id) == "stopped", "RQ says stopped")
    assert bench.ended(bench.submit())["state"] == "done"


def test_a_kill_horse_command_costs_the_job_one_attempt(bench: Bench) -> None:
    held = bench.held()
    send_kill_horse_command(bench.redis, bench.workers()[0].name)
    assert bench.ended(held.id)["state"] == "done"


def test_a_shutdown_command_ends_an_idle_worker(own_bench: Bench) -> None:
    send_shutdown_command(own_bench.redis, own_bench.workers()[0].name)
    assert own_bench.stack.worker.join(5) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_running_job_end_and_takes_no_other(
    own_bench: Bench, number: signal.Signals
) -> None:
    held = own_bench.held()
    waiting = own_bench.submit()
    own_bench.stack.worker.signal(number)
    assert own_bench.stack.worker.join(1) is None
    held.go_on()
    assert own_bench.stack.worker.join(5) == 0
    assert own_bench.state(held.id) == "done"
    assert own_bench.state(waiting) == "queued"
    assert own_bench.workers() == []


def test_a_second_sigint_ends_it_at_once_and_the_job_is_taken_over(own_bench: Bench) -> None:
    held = own_bench.held()
    own_bench.stack.worker.signal(signal.SIGINT)
    time.sleep(1.1)  # RQ takes a second signal within one second for an echo of the first
    own_bench.stack.worker.signal(signal.SIGINT)
    assert own_bench.stack.worker.join(3) is not None
    own_bench.until(lambda: not lives(held.process), "its crop process is gone", 3)
    own_bench.stack.worker.start()
    assert own_bench.ended(held.id, 15)["state"] == "done"


def test_burst_ends_when_the_queue_is_empty(make_stack) -> None:
    stack = make_stack(worker=False)
    with Client(stack.url) as api:
        bench = Bench(stack, api)
        jobs = [bench.submit() for _ in range(3)]
        environ = {
            **os.environ,
            "CROPSVC_REDIS_URL": stack.redis_url,
            "WORKERS": "1",
        }
        done = subprocess.run(
            [sys.executable, "worker.py", "--burst"],
            cwd=ROOT,
            env=environ,
            timeout=30,
            check=False,
            capture_output=True,
        )
        assert done.returncode == 0
        assert {bench.state(job) for job in jobs} == {"done"}
