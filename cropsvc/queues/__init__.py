"""The queues that jobs can go through: one on RQ, one on Celery."""

from typing import Protocol

from cropsvc.model.job import JobRef
from cropsvc.store import Commands


class JobQueue(Protocol):
    """What the front end needs of a queue."""

    name: str

    def commands(self, ref: JobRef, upload_from: str) -> Commands | None:
        """Return what queues the job as part of the store's transaction; None if nothing can."""

    def publish(self, ref: JobRef, upload_from: str) -> None:
        """Send a stored job to its workers, if that cannot be part of the transaction.

        Raises Unavailable if the queue does not confirm that it has the job.
        """

    def forget(self, ref: JobRef) -> bool:
        """Drop a canceled job that waits, and what the queue kept of it.

        Return True if no worker will see the job, so that the caller must log its end.
        """

    def workers(self) -> int:
        """Return how many workers have a fresh heartbeat."""
