"""A Celery worker's heartbeat in the store, and the recovery that all workers do in turn."""

import os
import socket
import time

import structlog

from cropsvc.model.errors import Unavailable
from cropsvc.model.job import JobRef
from cropsvc.queues.celery.queue import CeleryJobQueue
from cropsvc.queues.celery.recovery import OrphanRecovery
from cropsvc.store import Store, StoreUnavailable

HEARTBEAT_SECONDS = 2

log = structlog.get_logger("cropsvc.worker")


class Heartbeat:
    """Keeps this worker's heartbeat fresh, and recovers lost jobs."""

    def __init__(self, store: Store, job_queue: CeleryJobQueue) -> None:
        self.host = socket.gethostname()
        self._name = f"{self.host}:{os.getpid()}"
        self._store = store
        self._job_queue = job_queue
        self._orphans = OrphanRecovery(store, job_queue)
        self._due = 0.0

    def beat(self) -> None:
        """Refresh the heartbeat if it is due. Raises StoreUnavailable."""
        if time.monotonic() >= self._due:
            self._store.beat(self._name)
            self._due = time.monotonic() + HEARTBEAT_SECONDS

    def look(self) -> None:
        """Do an idle worker's heartbeat and recovery. Log it if the store is unavailable."""
        try:
            self.beat()
            self._orphans.bring_back()
        except StoreUnavailable as error:
            log.error("the store is unavailable", reason=str(error))

    def took(self, ref: JobRef) -> None:
        """Note that this worker received a job."""
        self._orphans.came(ref)

    def leave(self) -> None:
        """Drop this worker's heartbeat. Log it if the store is unavailable."""
        try:
            self._store.leave(self._name)
        except StoreUnavailable as error:
            log.error("the store is unavailable", reason=str(error))

    def is_queue_empty(self) -> bool:
        """Return whether RabbitMQ says that no message waits."""
        try:
            return self._job_queue.ready() == 0
        except Unavailable as error:
            log.warning("cannot count the queue's messages", reason=error.detail)
            return False
