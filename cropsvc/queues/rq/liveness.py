"""The worker's part of a container's health check."""

from redis import Redis
from rq import Worker

from cropsvc.queues.rq.queue import CropJob, CropQueue


def is_alive(client: Redis, host: str) -> bool:
    """Return whether a worker of the queue has a fresh heartbeat from *host*."""
    queue = CropQueue(connection=client)
    workers = Worker.all(queue=queue, job_class=CropJob, queue_class=CropQueue)
    return any(worker.hostname == host for worker in workers)
