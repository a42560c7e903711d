"""The lean worker on RQ.

Stock `rq.Worker` forks for each job and makes 20 to 24 round trips to Redis. This one keeps a
warm crop process and makes two. Each method that overrides RQ's says why.
"""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DequeueTimeout, DeserializationError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker import WorkerStatus

from cropsvc.cropping.runner import WORKERS_DIED, JobRunner
from cropsvc.model.errors import CropFailed
from cropsvc.model.job import Problem
from cropsvc.observability import job_log
from cropsvc.queues import JobQueue
from cropsvc.queues.rq.queue import (
    UNREADABLE,
    CropJob,
    CropQueue,
    ForeignJob,
    reference_of,
)
from cropsvc.queues.rq.recovery import OrphanRecovery
from cropsvc.queues.rq.registries import Registries
from cropsvc.queues.rq.reporter import Reporter
from cropsvc.queues.rq.steady_worker import HEARTBEAT_SECONDS, SteadyWorker

MAINTENANCE_SECONDS = 2
POP_SECONDS = 2  # how long an idle worker waits for a job at a time


class LeanWorker(SteadyWorker):
    """Takes jobs from one queue and runs them in its crop process."""

    job_class: type[Job] = CropJob
    queue_class: type[Queue] = CropQueue
    log_result_lifespan = False

    def __init__(
        self, connection: Redis, runner: JobRunner, job_queue: JobQueue, **options: Any
    ) -> None:
        self.runner = runner
        self._orphans = OrphanRecovery(runner.store, job_queue, connection)
        self._registries = Registries(self)
        self._queue = CropQueue(connection=connection)
        super().__init__(
            [self._queue],
            connection=connection,
            store=runner.store,
            serializer=JSONSerializer,
            exception_handlers=[self._give_up],
            worker_ttl=POP_SECONDS + 15,  # RQ's idle wait is 15 s less
            maintenance_interval=MAINTENANCE_SECONDS,
            job_monitoring_interval=HEARTBEAT_SECONDS,
            log_job_description=False,
            **options,
        )

    def run_maintenance_tasks(self) -> None:
        """Recover lost jobs every 2 s. RQ's groups and scheduler are not used here."""
        self._until_available(self._recover)

    def _recover(self) -> None:
        self.clean_registries()  # type: ignore[no-untyped-call]  # RQ leaves it untyped
        self._orphans.bring_back()

    # -- taking a job -----------------------------------------------------------------------

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Return the next job; None if the queue is empty in burst mode, or for too long.

        On a busy queue this is one round trip; stock: pop, then fetch. An idle worker waits for
        short times. Between them it checks suspension, its heartbeat and maintenance.
        """
        idle_since = time.monotonic()
        while not self._stop_requested:
            popped = self._until_available(lambda: self._popped(self._take))
            if popped or timeout is None:
                return popped
            popped = self._until_available(self._rest)
            if popped:
                return popped
            if max_idle_time is not None and time.monotonic() - idle_since >= max_idle_time:
                return None
        return None

    def _rest(self) -> tuple[Job, Queue] | None:
        self._registries.settle()
        self.set_state(WorkerStatus.IDLE)
        self.heartbeat()
        self.check_for_suspension(burst=False)
        if self.should_run_maintenance_tasks:
            self.run_maintenance_tasks()
        try:
            return self._popped(self._wait_for_job)
        except DequeueTimeout:
            return None

    def _take(self) -> tuple[Job, Queue] | None:
        job = self._queue.take()
        return (job, self._queue) if job else None

    def _wait_for_job(self) -> tuple[Job, Queue] | None:
        return self.queue_class.dequeue_any(
            self.queues,
            POP_SECONDS,
            connection=self.connection,
            job_class=self.job_class,
            serializer=self.serializer,
        )

    def _popped(self, pop: Callable[[], tuple[Job, Queue] | None]) -> tuple[Job, Queue] | None:
        try:
            popped = pop()
        except UNREADABLE as error:
            if not hasattr(error, "job_id"):
                raise  # an error of Redis, not of a job
            self._drop(error.job_id, error)
            return None
        if popped:
            self._state = WorkerStatus.BUSY  # from here on SIGTERM waits for the job
        return popped

    def _drop(self, job_id: str, error: Exception) -> None:
        """Remove a job that RQ cannot read from the queue: it makes every stock worker exit."""
        self.log.error("Worker %s: job %s cannot be read: %r", self.name, job_id, error)
        self.connection.lrem(self.queues[0].intermediate_queue_key, 1, job_id)

    # -- doing a job ------------------------------------------------------------------------

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the job in the crop process: one transaction, stock: 15 round trips and a fork.

        The crop process begins while this worker writes the job's start, and the end of the job
        before, to RQ's registries. They may lag, because only RQ's own tools read them.
        """
        try:
            ref, upload_from = reference_of(job)
        except (ForeignJob, DeserializationError) as error:
            reason = str(error)
            self._until_available(lambda: self._refuse(job, queue, reason))
            return
        self.runner.start(ref, upload_from)
        execution = self._until_available(lambda: self._registries.start(job, queue))
        reply = self.runner.finish(ref, upload_from, Reporter(self, job, execution, ref))
        job.ended_at = now()
        self._until_available(lambda: self._registries.end(job, queue, execution, reply))
        ms = (job.ended_at - (job.started_at or job.ended_at)).total_seconds() * 1000
        self._until_available(lambda: self.runner.log_end(ref, reply, ms))
        self.set_state(WorkerStatus.IDLE)

    def _refuse(self, job: Job, queue: Queue, reason: str) -> None:
        self.log.error("Worker %s: job %s refused: %s", self.name, job.id, reason)
        job.retries_left = 0
        self.handle_job_failure(job, queue, exc_string=reason)
        self.connection.lrem(queue.intermediate_queue_key, 1, job.id)

    def _give_up(self, job: Job, *exc_info: object) -> None:
        """Fail the job's record when RQ's recovery has no retry left."""
        if not job.retries_left:
            ref, _ = reference_of(job)
            problem = Problem(CropFailed.code, WORKERS_DIED)
            if self.store.fail(ref, problem):
                job_log.log_end(ref.id, "failed", code=problem.code, trace=self.store.trace(ref))

    # -- stopping ---------------------------------------------------------------------------

    @property
    def horse_pid(self) -> int:
        """The crop process's id, for RQ's stop-job and kill-horse commands."""
        return self.runner.process.pid

    def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:
        """Kill the crop process. A job that was not stopped gets its second attempt."""
        self.runner.process.kill()

    def teardown(self) -> None:
        """Write the last job's end to RQ's registries, then do as RQ does."""
        with suppress(RedisError):
            self._registries.settle()
        super().teardown()  # type: ignore[no-untyped-call]  # as RQ has it
