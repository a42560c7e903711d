"""Recovery of jobs that wait or run by their records, but are unknown to RQ.

An operator emptied the queue, or a job's hash was deleted. Without this such a job never ends.
"""

from redis import Redis
from redis.client import Pipeline

from cropsvc.queues import JobQueue
from cropsvc.queues.rq.queue import CropQueue
from cropsvc.store import Store


class OrphanRecovery:
    """Finds lost jobs and queues them again; all workers take turns."""

    def __init__(self, store: Store, job_queue: JobQueue, client: Redis) -> None:
        self._store = store
        self._job_queue = job_queue
        self._queue = CropQueue(connection=client)

    def bring_back(self) -> None:
        """Queue jobs again that were missing from RQ in two searches, some seconds apart."""
        if not self._store.may_look_for_orphans():
            return
        # One transaction: a job moves between these lists, and is always in one of them.
        active_jobs, known = self._store.active_jobs(self._known)
        present = {entry.decode().partition(":")[0] for entries in known for entry in entries}
        orphans = [ref for ref in active_jobs if ref.id not in present]
        for ref in self._store.lasting_orphans(orphans):
            self._store.requeue(ref, self._job_queue.commands)

    def _known(self, pipe: Pipeline) -> None:
        pipe.lrange(self._queue.key, 0, -1)
        pipe.lrange(self._queue.intermediate_queue_key, 0, -1)
        pipe.zrange(self._queue.started_job_registry.key, 0, -1)
