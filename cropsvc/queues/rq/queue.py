"""RQ's side: a Job that can run one function only, the queue, and what the front end uses of it."""

import json
import zlib
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ResponseError
from rq import Queue, Retry
from rq.exceptions import DeserializationError, TimeoutFormatError
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now, utcformat
from rq.worker import BaseWorker
from rq.worker_registration import get_keys

from cropsvc.cropping.runner import FUNCTION
from cropsvc.model.job import JobRef
from cropsvc.store import MOST_RUNS, Commands
from cropsvc.store.errors import hides_redis

UNREADABLE = (
    ValueError,  # numbers, dates, JSON, UTF-8
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
    zlib.error,
    ResponseError,  # a key of another type
    DeserializationError,
    TimeoutFormatError,
    AssertionError,  # for a timeout that is no number
)
"""The errors that RQ raises for values that it did not write."""

QUEUE = "cropsvc"
START_SECONDS = 4  # longer than a start takes: a job popped so long ago was dropped
SEEN_SECONDS = 10  # longer than START_SECONDS and two searches
LOCK_SECONDS = 10  # a worker whose maintenance takes longer has died


class UnreadableJob(ValueError):
    """A job on the queue whose hash was not written by RQ."""

    def __init__(self, job_id: str, reason: str) -> None:
        super().__init__(reason)
        self.job_id = job_id


class ForeignJob(Exception):
    """A job on the queue that names another function; it is never run."""


class CropJob(Job):
    """A job that can run one function only.

    With stock RQ, a client that can write to Redis can run any importable function, with JSON
    too: by the name of a function, a callback or a webhook.
    """

    def restore(self, raw_data: Mapping[Any, Any]) -> None:
        """Read the job from its hash, without callbacks and webhooks."""
        super().restore({**raw_data, b"webhooks": b""})
        self._success_callback_name = None
        self._failure_callback_name = None
        self._stopped_callback_name = None
        self.webhooks = []

    @property
    def func(self) -> Any:
        """Never a function: the lean worker runs the job that `reference_of` returns."""
        raise ForeignJob(f"a job here runs {FUNCTION} only, by the lean worker")


def reference_of(job: Job) -> tuple[JobRef, str]:
    """Return the job that an RQ job refers to, and the job its upload came with.

    Raises ForeignJob if it names another function or has other arguments.
    """
    arguments = job.args
    if (
        job.func_name != FUNCTION
        or job.instance
        or job.kwargs
        or not isinstance(arguments, list)
        or len(arguments) != 3
        or not all(isinstance(argument, str) for argument in arguments)
    ):
        raise ForeignJob(f"a job here runs {FUNCTION} only")
    owner, job_id, upload_from = arguments
    return JobRef(owner, job_id), upload_from


class PromptIntermediateQueue(IntermediateQueue):
    """Requeues a job whose worker died between pop and start within seconds; RQ fails it."""

    def cleanup(self, worker: BaseWorker, queue: Queue) -> None:
        """Requeue at the front the jobs that were popped START_SECONDS ago and never started.

        A job without a hash is only dropped: no worker could take it (see recovery.py).
        """
        started = set(queue.started_job_registry.get_job_ids(cleanup=False))
        for job_id in self.get_job_ids():
            if job_id in started or self.set_first_seen(job_id):
                continue
            if self.should_be_cleaned_up(job_id):
                is_whole = self.connection.exists(CropJob.key_for(job_id))
                with self.connection.pipeline() as pipe:
                    pipe.lrem(self.key, 1, job_id)
                    if is_whole:
                        pipe.lpush(self.queue_key, job_id)
                    pipe.delete(self.get_first_seen_key(job_id))
                    pipe.execute()

    def set_first_seen(self, job_id: str) -> bool:
        """Record when the job was first seen here.

        RQ keeps that for a day, and then mistakes a second pop for the first one.
        """
        key = self.get_first_seen_key(job_id)
        return bool(self.connection.set(key, now().timestamp(), nx=True, ex=SEEN_SECONDS))

    def should_be_cleaned_up(self, job_id: str) -> bool:
        """Return whether the job was first seen here more than START_SECONDS ago."""
        first_seen = self.get_first_seen(job_id)
        return first_seen is not None and now() - first_seen > timedelta(seconds=START_SECONDS)


class CropQueue(Queue):
    """The queue of crop jobs: JSON, one function, prompt recovery."""

    job_class = CropJob

    def __init__(self, name: str = QUEUE, connection: Redis | None = None, **options: Any) -> None:
        options = {**options, "serializer": JSONSerializer, "job_class": CropJob}
        super().__init__(name, connection=connection, **options)

    @property
    def intermediate_queue(self) -> PromptIntermediateQueue:
        """The list that holds a job between pop and start."""
        return PromptIntermediateQueue(self.key, connection=self.connection)

    def acquire_maintenance_lock(self) -> bool:
        """Acquire RQ's lock; a holder that dies blocks maintenance for 10 s, not for 15 minutes."""
        return bool(self.connection.set(self.registry_cleaning_key, 1, nx=True, ex=LOCK_SECONDS))


@hides_redis
class RqJobQueue:
    """RQ as the front end sees it."""

    name = "rq"

    def __init__(self, client: Redis, *, timeout: int, keep: int) -> None:
        self._client = client
        self._queue = CropQueue(connection=client)
        self._timeout = timeout
        self._keep = keep

    def commands(self, ref: JobRef, upload_from: str) -> Commands:
        """Return what queues the job by reference as part of the store's transaction."""
        return lambda pipe: self._enqueue(pipe, ref, upload_from)

    def _enqueue(self, pipe: Pipeline, ref: JobRef, upload_from: str) -> None:
        enqueued = utcformat(now())
        fields = {**self._fields, "created_at": enqueued, "enqueued_at": enqueued}
        # Not compressed, which RQ reads too: zlib gains nothing on random ids, and costs 30 us.
        call: tuple[Any, ...] = (FUNCTION, None, (ref.owner, ref.id, upload_from), {})
        fields["data"] = json.dumps(call).encode()
        pipe.sadd(self._queue.redis_queues_keys, self._queue.key)
        pipe.hset(CropJob.key_for(ref.id), mapping=fields)
        pipe.rpush(self._queue.key, ref.id)

    @cached_property
    def _fields(self) -> dict[Any, Any]:
        """What RQ itself writes of a job; only its data and dates differ from job to job.

        `enqueue_call` takes 8 % of a front end's time for a small crop.
        """
        pipe = self._client.pipeline()
        self._queue.enqueue_call(
            FUNCTION,
            timeout=self._timeout,
            result_ttl=self._keep,
            failure_ttl=self._keep,
            description="crop",
            meta={"progress": 0.0, "stage": "queued"},
            retry=Retry(max=MOST_RUNS - 1),
            pipeline=pipe,
        )
        fields: dict[Any, Any] = {}
        for command, *parts in (arguments for arguments, _ in pipe.command_stack):
            if command == "HSET":
                fields.update(zip(parts[1::2], parts[2::2], strict=True))
        return fields

    def publish(self, ref: JobRef, upload_from: str) -> None:
        """Do nothing: the transaction has queued the job."""

    def forget(self, ref: JobRef) -> bool:
        """Drop a canceled job that waits. Return False if it runs: then its worker stops it."""
        waited = bool(self._client.lrem(self._queue.key, 1, ref.id))
        if waited:
            self._client.delete(CropJob.key_for(ref.id))
        return waited

    def workers(self) -> int:
        """Return how many workers have a fresh heartbeat."""
        keys = list(get_keys(self._queue))
        return self._client.exists(*keys) if keys else 0
