"""A Celery worker's heartbeat in the store, and the recovery that all workers do in turns."""

import os
import socket
import time

import structlog
from redis.exceptions import RedisError

from cropsvc.model.errors import Unavailable
from cropsvc.model.job import JobRef
from cropsvc.queues.celery_orphans import Orphans
from cropsvc.queues.celery_queue import CeleryEngine
from cropsvc.store import Store

HEARTBEAT_SECONDS = 2

told = structlog.get_logger("cropsvc.worker")


class Life:
    """Says that this worker lives, and looks after what was lost."""

    def __init__(self, store: Store, engine: CeleryEngine) -> None:
        self.host = socket.gethostname()
        self._name = f"{self.host}:{os.getpid()}"
        self._store = store
        self._engine = engine
        self._orphans = Orphans(store, engine)
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
            told.error("Redis cannot be used", reason=str(error))

    def took(self, ref: JobRef) -> None:
        """Notes that this worker was handed a job."""
        self._orphans.came(ref)

    def leave(self) -> None:
        """Takes this worker off the books, if Redis is there."""
        try:
            self._store.leave(self._name)
        except RedisError as error:
            told.error("Redis cannot be used", reason=str(error))

    def is_queue_empty(self) -> bool:
        """Whether RabbitMQ says that no message waits."""
        try:
            return self._engine.ready() == 0
        except Unavailable as error:
            told.warning("cannot look at the queue", reason=error.detail)
            return False
