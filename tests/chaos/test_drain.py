"""A node is drained: its busy workers get SIGTERM, and SIGKILL when their grace is over.

As the kubelet does it with terminationGracePeriodSeconds, and systemd with TimeoutStopSec.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest

from tests import pictures
from tests.contract.client import Client
from tests.processes import crop_processes
from tests.stack import Part, Stack

LENGTH = 1.5  # seconds that a running crop goes on after the SIGTERM
WAITING = 10  # jobs that wait meanwhile


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("grace", "exits", "runs"),
    [(30.0, [0, 0], 1), (LENGTH / 5, [-signal.SIGKILL, -signal.SIGKILL], 2)],
    ids=["grace-above-the-jobs-length", "grace-below-it"],
)
def test_drained_busy_workers_lose_no_job(
    make_stack: Callable[..., Stack], grace: float, exits: list[int], runs: int
) -> None:
    stack = make_stack(worker=False, workers=1)
    with Client(stack.url) as api, _pods(stack) as pods:
        busy = [_busy(pod, api, number) for number, pod in enumerate(pods)]
        waiting = [api.accepted(pictures.unlike(100 + n))["id"] for n in range(WAITING)]
        threading.Timer(LENGTH, _resume, [[process for _, process in busy]]).start()
        stack.worker.start()  # on another node
        assert _drain(pods, grace) == exits
        jobs = [job_id for job_id, _ in busy] + waiting
        ended = [api.ended(api.job(job_id)) for job_id in jobs]
    assert {job["state"] for job in ended} == {"done"}
    counts = [int(stack.redis().hget(f"cropsvc:job:-:{job_id}", "runs")) for job_id in jobs]
    assert counts == [runs, runs] + [1] * WAITING


@contextmanager
def _pods(stack: Stack) -> Iterator[list[Part]]:
    """Two workers that do not run yet, each alone in its pod."""
    command = [sys.executable, "worker.py"]
    pods = [stack._part(f"pod-{number}", command, stack.environ) for number in range(2)]
    try:
        yield pods
    finally:
        for pod in pods:
            if pod.process:
                pod.signal(signal.SIGKILL)
                pod.join(5)


def _busy(pod: Part, api: Client, number: int) -> tuple[str, psutil.Process]:
    """A job that this pod has begun and does not get on with; its crop process."""
    pod.start()
    job = api.accepted(pictures.large(40 + number), format="webp", size="1500x", outputs="[{},{}]")
    api.until_state(job, "running")  # the other pods are busy, so it runs here
    [process] = crop_processes(pod.tree())
    process.suspend()
    assert api.job(job)["state"] == "running"
    return job["id"], process


def _resume(processes: list[psutil.Process]) -> None:
    for process in processes:
        if process.is_running():
            process.resume()


def _drain(pods: list[Part], grace: float) -> list[int | None]:
    """The pods' exit codes."""
    for pod in pods:
        pod.signal(signal.SIGTERM)
    deadline = time.monotonic() + grace
    for pod in pods:
        if pod.join(max(0.0, deadline - time.monotonic())) is None:
            pod.signal(signal.SIGKILL)
    return [pod.join(10) for pod in pods]
