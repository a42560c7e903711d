"""The lean worker on RQ.

Stock `rq.Worker` forks for each job and makes 20 to 24 round trips to Redis. This one keeps a
warm crop process and makes one. Each method that overrides RQ's says why.
"""

import signal
import time
from contextlib import suppress
from typing import Any, cast

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DeserializationError
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
        self._queue = CropQueue(connection=connection)
        self._registries = Registries(self, self._queue)
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

        On a busy queue this is one round trip, which writes the job's start too; stock: pop,
        fetch, start. An idle worker waits for short times. Between them it checks suspension, its
        heartbeat and maintenance.
        """
        idle_since = time.monotonic()
        while not self._stop_requested:
            popped = self._until_available(lambda: self._popped(""))
            if popped or timeout is None:
                return popped
            popped = self._rest()
            if popped:
                return popped
            if max_idle_time is not None and time.monotonic() - idle_since >= max_idle_time:
                return None
        return None

    def _rest(self) -> tuple[Job, Queue] | None:
        self.set_state(WorkerStatus.IDLE)
        self.heartbeat()
        self.check_for_suspension(burst=False)
        if self.should_run_maintenance_tasks:
            self.run_maintenance_tasks()
        job_id = self._until_available(self._wait_for_job)
        return self._until_available(lambda: self._popped(job_id)) if job_id else None

    def _wait_for_job(self) -> str:
        """Return the next job's id, which lies between pop and start then; empty after a while."""
        queue = self._queue
        waited = (queue.key, queue.intermediate_queue_key, POP_SECONDS, "LEFT", "RIGHT")
        job_id = cast(bytes | None, self.connection.blmove(*waited))
        return (job_id or b"").decode()

    def _popped(self, job_id: str) -> tuple[Job, Queue] | None:
        try:
            job = self._registries.take(job_id)
        except UNREADABLE as error:
            if not hasattr(error, "job_id"):
                raise  # an error of Redis, not of a job
            self._drop(error.job_id, error)
            return None
        return (job, self._queue) if job else None  # from here on SIGTERM waits for the job

    def _drop(self, job_id: str, error: Exception) -> None:
        """Remove a job that RQ cannot read from the queue: it makes every stock worker exit."""
        self.log.error("Worker %s: job %s cannot be read: %r", self.name, job_id, error)
        self.connection.lrem(self.queues[0].intermediate_queue_key, 1, job_id)

    # -- doing a job ------------------------------------------------------------------------

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the job in the crop process: no round trip, stock: 15 of them and a fork.

        The job's start was written when it was popped; its end is written with the next pop.
        """
        try:
            ref, upload_from = reference_of(job)
        except (ForeignJob, DeserializationError) as error:
            reason = str(error)
            self._until_available(lambda: self._refuse(job, queue, reason))
            return
        self.runner.start(ref, upload_from)
        reporter = Reporter(self, job, self._registries.execution, ref)
        reply = self.runner.finish(ref, upload_from, reporter)
        job.ended_at = now()
        self._until_available(lambda: self._registries.end(job, reply))
        ms = (job.ended_at - (job.started_at or job.ended_at)).total_seconds() * 1000
        self._until_available(lambda: self.runner.log_end(ref, reply, ms))
        self.set_state(WorkerStatus.IDLE)

    def _refuse(self, job: Job, queue: Queue, reason: str) -> None:
        self.log.error("Worker %s: job %s refused: %s", self.name, job.id, reason)
        job.retries_left = 0
        execution = self._registries.execution
        self.handle_job_failure(job, queue, exc_string=reason, execution=execution)

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
