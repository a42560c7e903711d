"""A Celery worker's heartbeat in the store, and the recovery that all workers do in turns."""

import os
import socket
import time

import structlog
from redis.exceptions import RedisError

from cropsvc.model.errors import Unavailable
from cropsvc.model.job import JobRef
from cropsvc.queues.celery.queue import CeleryJobQueue
from cropsvc.queues.celery.recovery import OrphanRecovery
from cropsvc.store import Store

HEARTBEAT_SECONDS = 2

log = structlog.get_logger("cropsvc.worker")


class Heartbeat:
    """Says that this worker lives, and looks after what was lost."""

    def __init__(self, store: Store, job_queue: CeleryJobQueue) -> None:
        self.host = socket.gethostname()
        self._name = f"{self.host}:{os.getpid()}"
        self._store = store
        self._job_queue = job_queue
        self._orphans = OrphanRecovery(store, job_queue)
        self._due = 0.0

    def beat(self) -> None:
        """A heartbeat, when one is due. Raises RedisError."""
        if time.monotonic() >= self._due:
            self._store.beat(self._name)
            self._due = time.monotonic() + HEARTBEAT_SECONDS

    def look(self) -> None:
        """What an idle worker does: heartbeat and recovery, if Redis is there."""
        try:
            self.beat()
            self._orphans.bring_back()
        except RedisError as error:
            log.error("Redis cannot be used", reason=str(error))

    def took(self, ref: JobRef) -> None:
        """Notes that this worker was handed a job."""
        self._orphans.came(ref)

    def leave(self) -> None:
        """Takes this worker off the books, if Redis is there."""
        try:
            self._store.leave(self._name)
        except RedisError as error:
            log.error("Redis cannot be used", reason=str(error))

    def is_queue_empty(self) -> bool:
        """Whether RabbitMQ says that no message waits."""
        try:
            return self._job_queue.ready() == 0
        except Unavailable as error:
            log.warning("cannot look at the queue", reason=error.detail)
            return False
