"""The lean worker on RQ.

Stock `rq.Worker` forks for each job and makes 20 to 24 round trips to Redis. This one keeps a
warm crop process and makes two. Each method that overrides RQ's says why. It also writes RQ's
private `_state` and `_stopped_job_id`, and overrides `_pubsub_exception_handler`.
"""

import json
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from redis import Redis
from redis.client import Pipeline, PubSub, PubSubWorkerThread
from redis.exceptions import OutOfMemoryError, RedisError
from rq import Queue
from rq.exceptions import DequeueTimeout, DeserializationError
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import now, utcformat
from rq.worker import BaseWorker, WorkerStatus
from rq.worker_registration import register

from cropsvc.cropping.process import Reply
from cropsvc.cropping.runner import WORKERS_DIED, JobRunner
from cropsvc.model.errors import CropFailed
from cropsvc.model.job import JobRef, Problem
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
from cropsvc.store import Store, StoreUnavailable, until_available

T = TypeVar("T")

HEARTBEAT_SECONDS = 2
WORKER_TTL = 10  # a worker without a heartbeat for so long is dead
EXECUTION_TTL = 6  # a job without a heartbeat for so long is taken over
MAINTENANCE_SECONDS = 2
POP_SECONDS = 2  # how long an idle worker waits for a job at a time
RETRY_SECONDS = 1  # between tries while Redis is down or refuses writes
SHED = 20  # retained uploads that a worker deletes at a time while the store is full


class _Reporter:
    """Reports progress in the job's meta, and refreshes the heartbeats."""

    def __init__(self, worker: "LeanWorker", job: Job, execution: Execution, ref: JobRef) -> None:
        self._worker, self._job, self._execution, self._ref = worker, job, execution, ref
        self._due = time.monotonic() + HEARTBEAT_SECONDS

    def progress(self, stage: str, fraction: float) -> None:
        """Write stage and fraction to the record and to the job's meta, in one round trip."""
        self._job.meta = {"progress": round(fraction, 4), "stage": stage}
        self._worker.store.report(
            self._ref, fraction, stage, (self._job.key, "meta", json.dumps(self._job.meta))
        )

    def alive(self) -> None:
        """Refresh the heartbeats of worker, job and execution if they are due."""
        if time.monotonic() >= self._due:
            self._worker.maintain_heartbeats(self._job, self._execution)
            self._due = time.monotonic() + HEARTBEAT_SECONDS

    def is_stopped(self) -> bool:
        """Return whether an operator stopped the job through RQ."""
        return self._worker.is_stopping(self._job)


class LeanWorker(BaseWorker):
    """Takes jobs from one queue and runs them in its crop process."""

    job_class: type[Job] = CropJob
    queue_class: type[Queue] = CropQueue
    log_result_lifespan = False

    def __init__(
        self, connection: Redis, runner: JobRunner, job_queue: JobQueue, **options: Any
    ) -> None:
        self.runner = runner
        self.store: Store = runner.store
        self._orphans = OrphanRecovery(self.store, job_queue, connection)
        self._due: dict[str, float] = {}
        self._unsettled: tuple[Job, Execution] | None = None
        self._queue = CropQueue(connection=connection)
        super().__init__(
            [self._queue],
            connection=connection,
            serializer=JSONSerializer,
            exception_handlers=[self._give_up],
            worker_ttl=POP_SECONDS + 15,  # RQ's idle wait is 15 s less
            maintenance_interval=MAINTENANCE_SECONDS,
            job_monitoring_interval=HEARTBEAT_SECONDS,
            log_job_description=False,
            **options,
        )

    # -- stock RQ does this for each job; this worker does it at intervals ------------------

    def _is_due(self, what: str, seconds: float) -> bool:
        if time.monotonic() < self._due.get(what, 0.0):
            return False
        self._due[what] = time.monotonic() + seconds
        return True

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Refresh the heartbeat: one round trip every 2 s, stock: 9 a job.

        Register again if the worker's key had expired.
        """
        if pipeline is not None:
            super().heartbeat(WORKER_TTL, pipeline=pipeline)
        elif self._is_due("heartbeat", HEARTBEAT_SECONDS):
            self._until_available(self._beat)

    def _beat(self) -> None:
        with self.connection.pipeline(transaction=False) as pipe:
            super().heartbeat(WORKER_TTL, pipeline=pipe)
            pipe.hset(self.key, "state", self.get_state())
            was_forgotten = pipe.execute()[0]
        if was_forgotten:
            self._register_again()

    def _register_again(self) -> None:
        with self.connection.pipeline() as pipe:
            pipe.hset(self.key, mapping=self.serialize())
            register(self, pipe)
            pipe.expire(self.key, WORKER_TTL)
            pipe.execute()

    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:
        """Keep `idle` here for the next heartbeat to write; the job's start writes `busy`."""
        self._state = state
        if pipeline is not None or state not in (WorkerStatus.IDLE, WorkerStatus.BUSY):
            super().set_state(state, pipeline=pipeline)

    def check_for_suspension(self, burst: bool) -> None:
        """Check once a second; stock: two commands before each job."""
        if self._is_due("suspension", 1.0):
            look = super().check_for_suspension
            self._until_available(lambda: look(burst))

    def run_maintenance_tasks(self) -> None:
        """Recover lost jobs every 2 s. RQ's groups and scheduler are not used here."""
        self._until_available(self._recover)

    def _recover(self) -> None:
        self.clean_registries()  # type: ignore[no-untyped-call]  # RQ leaves it untyped
        self._orphans.bring_back()

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Return the seconds without a heartbeat until a job is taken over; RQ: at least 60."""
        return EXECUTION_TTL

    # -- taking a job -----------------------------------------------------------------------

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Return the next job; None if the queue is empty in burst mode, or for too long.

        On a busy queue this is one round trip; stock: pop, then fetch. An idle worker waits for
        short times. Between them it checks suspension, its heartbeat and maintenance.
        """
        idle_since = time.monotonic()
        while True:
            popped = self._until_available(lambda: self._popped(self._take))
            if popped or timeout is None:
                return popped
            popped = self._until_available(self._rest)
            if popped:
                return popped
            if max_idle_time is not None and time.monotonic() - idle_since >= max_idle_time:
                return None

    def _rest(self) -> tuple[Job, Queue] | None:
        self._settle_now()
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

    def _until_available(self, step: Callable[[], T]) -> T:
        """Return *step*'s result once Redis is available: stock RQ exits instead."""
        return until_available(step, RETRY_SECONDS, self._note_outage)

    def _note_outage(self, error: Exception) -> None:
        self.log.error("Worker %s: Redis is unavailable: %s", self.name, error)
        self._state = WorkerStatus.IDLE  # so that SIGTERM ends the wait
        if isinstance(error, OutOfMemoryError):
            with suppress(StoreUnavailable):  # logged at the next try
                self.store.shed_sources(SHED)

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
        execution = self._until_available(lambda: self._started(job, queue))
        reply = self.runner.finish(ref, upload_from, _Reporter(self, job, execution, ref))
        job.ended_at = now()
        self._until_available(lambda: self._ended(job, queue, execution, reply))
        ms = (job.ended_at - (job.started_at or job.ended_at)).total_seconds() * 1000
        self._until_available(lambda: self.runner.log_end(ref, reply, ms))
        self.set_state(WorkerStatus.IDLE)

    def _started(self, job: Job, queue: Queue) -> Execution:
        with self.connection.pipeline() as pipe:
            self._settle(pipe)
            execution = Execution.create(job, EXECUTION_TTL, pipeline=pipe, worker_name=self.name)
            self.set_state(WorkerStatus.BUSY, pipeline=pipe)
            job.prepare_for_execution(self.name, pipeline=pipe)
            pipe.persist(job.key)
            pipe.lrem(queue.intermediate_queue_key, 1, job.id)
            pipe.execute()
        self._unsettled = None
        self.executions[execution.id] = execution
        return execution

    def _ended(self, job: Job, queue: Queue, execution: Execution, reply: Reply) -> None:
        if reply.state == "canceled":
            self._stopped_job_id = job.id
        if reply.state in ("canceled", "failed"):
            job.retries_left = 0  # the runner has made all attempts
            reason = f"{reply.code}: {reply.detail}" if reply.code else reply.state
            self.handle_job_failure(job, queue, exc_string=reason, execution=execution)
        else:
            self._unsettled = (job, execution)

    def _settle_now(self) -> None:
        if self._unsettled:
            with self.connection.pipeline() as pipe:
                self._settle(pipe)
                pipe.execute()
            self._unsettled = None

    def _settle(self, pipe: Pipeline) -> None:
        """Write a job's end to RQ's registries, without dependents, repeats and results."""
        if not self._unsettled:
            return
        job, execution = self._unsettled
        ttl = job.get_result_ttl(self.default_result_ttl)
        ended = job.ended_at or now()
        mapping: dict[Any, Any] = {
            "status": JobStatus.FINISHED.value,
            "ended_at": utcformat(ended),
            "meta": json.dumps({"progress": 1.0, "stage": "done"}),
        }
        pipe.hset(job.key, mapping=mapping)
        pipe.expire(job.key, ttl)
        job.finished_job_registry.add(job, ttl, pipeline=pipe)
        self.increment_successful_job_count(pipeline=pipe)
        self.increment_total_working_time(ended - (job.started_at or ended), pipe)
        self.cleanup_execution(job, pipeline=pipe, execution=execution)

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
            self._settle_now()
        super().teardown()  # type: ignore[no-untyped-call]  # as RQ has it

    def set_shutdown_requested_date(self) -> None:
        """Note the shutdown for RQ's tools, if Redis is available. A signal must not need it."""
        with suppress(RedisError):
            super().set_shutdown_requested_date()  # type: ignore[no-untyped-call]  # as RQ has it

    def _pubsub_exception_handler(
        self, exc: Exception, pubsub: PubSub, pubsub_thread: PubSubWorkerThread
    ) -> None:
        """Keep listening for commands after any Redis error; a timeout ends RQ's own thread."""
        if not isinstance(exc, RedisError):
            raise exc
        self.log.error("Worker %s: cannot listen for commands: %s", self.name, exc)
        time.sleep(RETRY_SECONDS)

    def is_stopping(self, job: Job) -> bool:
        """Return whether RQ's stop-job or stop-execution command named this job."""
        return bool(self._stopped_job_id == job.id)
