"""The engines behind jobs.py: one on RQ, one on Celery."""

from typing import Protocol

from redis.client import Pipeline

from cropsvc.model.job import JobRef


class JobQueue(Protocol):
    """What the front end needs of a queue."""

    name: str

    def enqueue(self, pipe: Pipeline, ref: JobRef, upload_from: str) -> None:
        """Queues the job by reference with *pipe*'s transaction, before other commands."""

    def publish(self, ref: JobRef, upload_from: str) -> None:
        """Sends a stored job on its way, where that cannot be part of the transaction.

        Raises Unavailable when the queue does not confirm that it has it.
        """

    def forget(self, ref: JobRef) -> bool:
        """Drops a canceled job that waits, and what the engine kept of it.

        True if no worker will come across it any more, and so tell of its end.
        """

    def workers(self) -> int:
        """Workers with a fresh heartbeat."""
