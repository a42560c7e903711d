"""The lean worker on RQ.

Stock `rq.Worker` forks for each job and talks to Redis 20 to 24 times; this one keeps a warm
crop process and talks twice. It overrides RQ's public methods, each with its reason.
"""

import json
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from redis import Redis
from redis.client import Pipeline, PubSub, PubSubWorkerThread
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DequeueTimeout, DeserializationError
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import now, utcformat
from rq.worker import BaseWorker, WorkerStatus
from rq.worker_registration import register

from cropsvc.cropping.process import Reply
from cropsvc.cropping.runner import JobRunner
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
from cropsvc.store import Store

T = TypeVar("T")

HEARTBEAT_SECONDS = 2
WORKER_TTL = 10  # a worker silent for so long is dead
EXECUTION_TTL = 6  # a job whose worker is silent for so long is taken over
MAINTENANCE_SECONDS = 2
POP_SECONDS = 2  # how long an idle worker waits before it looks up
RETRY_SECONDS = 1  # between tries when Redis is away or refuses writes


class _Reporter:
    """Tells a job's progress through its meta, and keeps the worker's heartbeats going."""

    def __init__(self, worker: "LeanWorker", job: Job, execution: Execution, ref: JobRef) -> None:
        self._worker, self._job, self._execution, self._ref = worker, job, execution, ref
        self._due = time.monotonic() + HEARTBEAT_SECONDS

    def progress(self, stage: str, fraction: float) -> None:
        """Writes stage and fraction to the record and to the job's meta, in one round trip."""
        self._job.meta = {"progress": round(fraction, 4), "stage": stage}
        self._worker.store.report(
            self._ref, fraction, stage, (self._job.key, "meta", json.dumps(self._job.meta))
        )

    def alive(self) -> None:
        """A heartbeat for worker, job and execution, when one is due."""
        if time.monotonic() >= self._due:
            self._worker.maintain_heartbeats(self._job, self._execution)
            self._due = time.monotonic() + HEARTBEAT_SECONDS

    def is_stopped(self) -> bool:
        """Whether an operator told RQ to stop the job."""
        return self._worker.is_stopping(self._job)


class LeanWorker(BaseWorker):
    """Takes jobs from one queue and has its crop process do them."""

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

    # -- what stock RQ does for each job is done at intervals here --------------------------

    def _is_due(self, what: str, seconds: float) -> bool:
        if time.monotonic() < self._due.get(what, 0.0):
            return False
        self._due[what] = time.monotonic() + seconds
        return True

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """One round trip each 2 s, stock: 9 a job. Comes back when the key had expired."""
        if pipeline is not None:
            super().heartbeat(WORKER_TTL, pipeline=pipeline)
        elif self._is_due("heartbeat", HEARTBEAT_SECONDS):
            self._patiently(self._beat)

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
        """Idle is kept here, for the next heartbeat to write; busy comes with the job's start."""
        self._state = state
        if pipeline is not None or state not in (WorkerStatus.IDLE, WorkerStatus.BUSY):
            super().set_state(state, pipeline=pipeline)

    def check_for_suspension(self, burst: bool) -> None:
        """Once a second; stock: before each job, two commands."""
        if self._is_due("suspension", 1.0):
            look = super().check_for_suspension
            self._patiently(lambda: look(burst))

    def run_maintenance_tasks(self) -> None:
        """Recovery each 2 s; RQ's groups and scheduler are not used here."""
        self._patiently(self._recover)

    def _recover(self) -> None:
        self.clean_registries()  # type: ignore[no-untyped-call]  # RQ leaves it untyped
        self._orphans.bring_back()

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Seconds after which a silent worker's job is taken over; RQ: never below 60."""
        return EXECUTION_TTL

    # -- taking a job -----------------------------------------------------------------------

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """The next job; None when the queue is empty in burst mode, or idle for too long.

        On a busy queue this is one round trip; stock: pop, then fetch. An idle worker waits in
        short turns, so that it hears suspension, keeps its heartbeat and does maintenance.
        """
        idle_since = time.monotonic()
        while True:
            popped = self._patiently(lambda: self._popped(self._take))
            if popped or timeout is None:
                return popped
            popped = self._patiently(self._rest)
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
                raise  # Redis' own refusal, not a job's
            self._drop(error.job_id, error)
            return None
        if popped:
            self._state = WorkerStatus.BUSY  # from here on SIGTERM waits for the job
        return popped

    def _drop(self, job_id: str, error: Exception) -> None:
        """Takes a job that RQ cannot read off the queue: stock RQ exits, and the next one too."""
        self.log.error("Worker %s: job %s cannot be read: %r", self.name, job_id, error)
        self.connection.lrem(self.queues[0].intermediate_queue_key, 1, job_id)

    def _patiently(self, step: Callable[[], T]) -> T:
        """*step*'s result, tried again while Redis is away or full: stock RQ exits instead."""
        while True:
            try:
                return step()
            except RedisError as error:
                self.log.error("Worker %s: Redis cannot be used: %s", self.name, error)
                self._state = WorkerStatus.IDLE  # so that SIGTERM ends the wait
                time.sleep(RETRY_SECONDS)

    # -- doing a job ------------------------------------------------------------------------

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Has the crop process do the job: one transaction, stock: 15 round trips and a fork.

        The crop process begins while this worker tells RQ of the start, and of the end of the job
        before: RQ's books may lag, for nobody but RQ's tools reads them.
        """
        try:
            ref, upload_from = reference_of(job)
        except (ForeignJob, DeserializationError) as error:
            reason = str(error)
            self._patiently(lambda: self._refuse(job, queue, reason))
            return
        self.runner.start(ref, upload_from)
        execution = self._patiently(lambda: self._started(job, queue))
        reply = self.runner.finish(ref, upload_from, _Reporter(self, job, execution, ref))
        job.ended_at = now()
        self._patiently(lambda: self._ended(job, queue, execution, reply))
        ms = (job.ended_at - (job.started_at or job.ended_at)).total_seconds() * 1000
        self._patiently(lambda: self.runner.log_end(ref, reply, ms))
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
            job.retries_left = 0  # what may be tried again was, by the cropper
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
        """RQ's books on a finished job, without the dependents, repeats and results unused here."""
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
        """Called by RQ's recovery: when no retry is left, the job's record fails too."""
        if not job.retries_left:
            ref, _ = reference_of(job)
            problem = Problem(CropFailed.code, "its workers died again and again")
            if self.store.fail(ref, problem):
                job_log.log_end(ref.id, "failed", code=problem.code, trace=self.store.trace(ref))

    # -- stopping ---------------------------------------------------------------------------

    @property
    def horse_pid(self) -> int:
        """The crop process, for RQ's stop and kill-horse commands."""
        return self.runner.process.pid

    def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:
        """Kills the crop process; a job that was not told to stop gets its second attempt."""
        self.runner.process.kill()

    def teardown(self) -> None:
        """As RQ's, with the last job's end told."""
        with suppress(RedisError):
            self._settle_now()
        super().teardown()  # type: ignore[no-untyped-call]  # as RQ has it

    def set_shutdown_requested_date(self) -> None:
        """Noted for RQ's tools, if Redis is there: a signal is obeyed without it."""
        with suppress(RedisError):
            super().set_shutdown_requested_date()  # type: ignore[no-untyped-call]  # as RQ has it

    def _pubsub_exception_handler(
        self, exc: Exception, pubsub: PubSub, pubsub_thread: PubSubWorkerThread
    ) -> None:
        """Listens on for commands after any trouble with Redis; RQ's thread ends by a timeout."""
        if not isinstance(exc, RedisError):
            raise exc
        self.log.error("Worker %s: cannot listen for commands: %s", self.name, exc)
        time.sleep(RETRY_SECONDS)

    def is_stopping(self, job: Job) -> bool:
        """Whether RQ's stop-job or stop-execution command named this job."""
        return bool(self._stopped_job_id == job.id)
