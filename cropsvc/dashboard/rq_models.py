"""RQ's jobs, queues and workers, read as data: JSON only, and whatever lies in Redis.

A job that somebody pushed by hand must neither run anything here nor take a page down.
"""

import logging
from typing import Any, cast

from redis import Redis
from rq import Queue, Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.registry import (
    BaseRegistry,
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)
from rq.results import Result
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker
from rq.worker_registration import get_keys

from cropsvc.queues.rq.queue import UNREADABLE, CropJob, CropQueue

log = logging.getLogger(__name__)

QUEUED = "queued"
REGISTRIES: dict[str, type[BaseRegistry]] = {
    "started": StartedJobRegistry,
    "finished": FinishedJobRegistry,
    "failed": FailedJobRegistry,
    "deferred": DeferredJobRegistry,
    "scheduled": ScheduledJobRegistry,
    "canceled": CanceledJobRegistry,
}


class ReadOnlyJob(CropJob):
    """A job that is only looked at; its hash is JSON or unreadable, never a pickle."""

    def __init__(
        self, id: str | None = None, connection: Redis | None = None, serializer: Any = None
    ) -> None:
        super().__init__(id, connection, JSONSerializer)

    def latest_result(self, timeout: int = 0) -> Result | None:
        """Return the latest result; None for one that cannot be read."""
        try:
            return super().latest_result(timeout)
        except UNREADABLE as error:
            log.warning("the result of job %s cannot be read: %r", self.id, error)
            return None


def fetch(job_id: str, client: Redis) -> ReadOnlyJob:
    """Return the job. Raises NoSuchJobError, or one of UNREADABLE."""
    return cast(ReadOnlyJob, ReadOnlyJob.fetch(job_id, connection=client))


def results_key(job_id: str) -> str:
    """Where RQ keeps how a job's runs ended."""
    return str(Result.get_key(job_id))  # type: ignore[no-untyped-call]  # RQ leaves it untyped


class ReadOnlyQueue(CropQueue):
    """A queue that is only looked at."""

    job_class = ReadOnlyJob

    @classmethod
    def all(cls, connection: Redis, *unused: Any, **too: Any) -> list[Queue]:
        """Every queue whose name can be read."""
        keys: set[bytes] = connection.smembers(cls.redis_queues_keys)  # type: ignore[assignment]  # not async
        prefix = cls.redis_queue_namespace_prefix
        names = [key.decode(errors="replace").removeprefix(prefix) for key in keys]
        return [cls(name, connection=connection) for name in names]


class ShownWorker(Worker):
    """A worker that is only looked at."""

    job_class: type[Job] = ReadOnlyJob
    queue_class: type[Queue] = ReadOnlyQueue

    def _set_connection(self, connection: Redis) -> Redis:
        """Leave the connection alone: a worker's would wait for minutes."""
        return connection

    @classmethod
    def all(cls, connection: Redis | None = None, *unused: Any, **too: Any) -> list[BaseWorker]:
        """Every worker whose hash can be read."""
        found = (cls._found(key, connection) for key in get_keys(connection=connection))
        return [worker for worker in found if worker]

    @classmethod
    def _found(cls, key: str, connection: Any) -> BaseWorker | None:
        try:
            return cls.find_by_key(key, connection=connection, serializer=JSONSerializer)
        except UNREADABLE as error:
            log.warning("worker %r cannot be read: %r", key, error)
            return None

    def get_current_job(self) -> Job | None:
        """Return the job it works on; None when that is gone or cannot be read."""
        try:
            return super().get_current_job()
        except NoSuchJobError:
            return None
        except UNREADABLE as error:
            log.warning("the job of worker %s cannot be read: %r", self.name, error)
            return None


def job_ids(
    queue: Queue, registry: str, window: slice, *, newest_first: bool
) -> tuple[int, list[str]]:
    """How many jobs a queue's registry holds, and the ids within *window*."""
    client, first, last = queue.connection, window.start, window.stop - 1
    if registry != QUEUED:
        key = registry_key(queue, registry)
        raw = client.zrange(key, first, last, desc=newest_first)
        return client.zcard(key), [_id(entry) for entry in raw]
    if newest_first:
        raw = client.lrange(queue.key, -last - 1, -first - 1)[::-1]
    else:
        raw = client.lrange(queue.key, first, last)
    return client.llen(queue.key), [_id(entry) for entry in raw]


def registry_key(queue: Queue, registry: str) -> str:
    """Where RQ keeps the ids of a queue's jobs in that state."""
    return REGISTRIES[registry](queue.name, connection=queue.connection).key


def _id(entry: Any) -> str:
    text: str = entry.decode(errors="replace")
    return text.partition(":")[0]  # started: job id, execution id
