"""One worker whose crop process can be stopped, killed and counted."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
import pytest
from rq.worker import BaseWorker

from cropsvc.queues.rq.queue import CropJob, CropQueue
from tests import pictures
from tests.contract.client import Client
from tests.processes import crop_processes
from tests.stack import Stack, running, until

TERMINAL = ("done", "failed", "canceled")


@dataclass
class Bench:
    """A stack with one worker process, and what a test does to it."""

    stack: Stack
    api: Client

    def __post_init__(self) -> None:
        self.redis = self.stack.redis()
        self._count = 0

    def submit(self, width: int = 60, **parameters: object) -> str:
        """The id of a new job on a picture never seen before."""
        self._count += 1
        data = pictures.png(width, 20 + self._count)
        return self.api.accepted(data, **parameters)["id"]

    def state(self, job_id: str) -> str:
        """The job's state, as a client sees it."""
        return self.api.get(f"/v1/crops/{job_id}").json()["state"]

    def ended(self, job_id: str, seconds: float = 15) -> dict:
        """The job once it is terminal."""

        def terminal() -> dict | None:
            job = self.api.get(f"/v1/crops/{job_id}").json()
            return job if job["state"] in TERMINAL else None

        return until(terminal, seconds=seconds, what=f"{job_id} ends")

    def crop_process(self) -> psutil.Process:
        """The worker's crop process."""

        def child() -> psutil.Process | None:
            return next(iter(crop_processes(self.stack.worker.tree())), None)

        return until(child, seconds=10, what="the worker has a crop process")

    def workers(self) -> list[BaseWorker]:
        """RQ's view of its workers."""
        return BaseWorker.all(queue=CropQueue(connection=self.redis), job_class=CropJob)

    def rq_status(self, job_id: str) -> str:
        """RQ's own status of the job."""
        return (self.redis.hget(f"rq:job:{job_id}", "status") or b"").decode()

    def until(self, condition: Callable[[], object], what: str, seconds: float = 15) -> object:
        """Waits for a condition."""
        return until(condition, seconds=seconds, what=what)

    def held(self, **parameters: object) -> "Held":
        """A job that its crop process has in hand and does not get on with."""
        process = self.crop_process()
        process.suspend()
        job_id = self.submit(**parameters)
        self.until(lambda: self.rq_status(job_id) == "started", "the worker took the job")
        return Held(job_id, process)

    def meta(self, job_id: str) -> dict:
        """The job's meta in RQ."""
        return json.loads(self.redis.hget(f"rq:job:{job_id}", "meta") or b"{}")


@dataclass
class Held:
    """A job that hangs in its stopped crop process."""

    id: str
    process: psutil.Process

    def go_on(self) -> None:
        """Lets the crop process run again."""
        self.process.resume()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Ends the crop process by a signal."""
        os.kill(self.process.pid, number)
        if number != signal.SIGKILL:
            os.kill(self.process.pid, signal.SIGCONT)


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One worker process with a job limit of 3 s; leave it running."""
    directory = tmp_path_factory.mktemp("bench")
    with running(directory, workers=1, job_timeout=3) as stack, Client(stack.url) as api:
        yield Bench(stack, api)


@pytest.fixture
def own_bench(make_stack: Callable[..., Stack]) -> Iterator[Bench]:
    """The same for one test only, which may end its worker."""
    stack = make_stack(workers=1, job_timeout=20)
    with Client(stack.url) as api:
        bench = Bench(stack, api)
        bench.ended(bench.submit())  # the crop process is through with its start
        yield bench
