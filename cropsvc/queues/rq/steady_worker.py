"""What keeps a worker going: heartbeats at intervals, outages ridden out, signals never lost.

It writes RQ's private `_state` and `_stop_requested`, reads `_stopped_job_id`, and overrides
`_shutdown` and `_pubsub_exception_handler`.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from redis.client import Pipeline, PubSub, PubSubWorkerThread
from redis.exceptions import OutOfMemoryError, RedisError
from rq.job import Job
from rq.worker import BaseWorker, WorkerStatus
from rq.worker_registration import register

from cropsvc.store import Store, StoreUnavailable, until_available

T = TypeVar("T")

HEARTBEAT_SECONDS = 2
EXECUTION_TTL = 6  # seconds: a job without a heartbeat for so long is taken over
WORKER_TTL = 10  # a worker without a heartbeat for so long is dead
RETRY_SECONDS = 1  # between tries while Redis is down or refuses writes
SHED = 20  # retained uploads that a worker deletes at a time while the store is full


class SteadyWorker(BaseWorker):
    """A worker whose state and heartbeats cost few round trips, and that an outage does not end."""

    def __init__(self, *arguments: Any, store: Store, **options: Any) -> None:
        self.store = store
        self._due: dict[str, float] = {}
        super().__init__(*arguments, **options)

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

    def is_stopping(self, job: Job) -> bool:
        """Return whether RQ's stop-job or stop-execution command named this job."""
        return bool(self._stopped_job_id == job.id)

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Return the seconds without a heartbeat until a job is taken over; RQ: at least 60."""
        return EXECUTION_TTL

    # -- outages and signals ----------------------------------------------------------------

    def _until_available(self, step: Callable[[], T]) -> T:
        """Return *step*'s result once Redis is available: stock RQ exits instead."""
        return until_available(step, RETRY_SECONDS, self._note_outage)

    def _note_outage(self, error: Exception) -> None:
        self.log.error("Worker %s: Redis is unavailable: %s", self.name, error)
        self._state = WorkerStatus.IDLE  # so that SIGTERM ends the wait
        if isinstance(error, OutOfMemoryError):
            with suppress(StoreUnavailable):  # logged at the next try
                self.store.shed_sources(SHED)

    def _shutdown(self) -> None:
        """Note the request, then do as RQ does.

        RQ raises StopRequested while the worker is idle. If that comes up in a log handler or a
        destructor, Python swallows it, and the worker would go on.
        """
        self._stop_requested = True
        super()._shutdown()  # type: ignore[no-untyped-call]  # as RQ has it

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
