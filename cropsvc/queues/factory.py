"""Makes the queue and the worker that the settings ask for.

Each queue is imported only if it is used: with RQ, Celery is not loaded and need not be installed.
"""

from redis import Redis

from cropsvc.cropping.runner import JobRunner
from cropsvc.processes.memory_tuning import tune_allocator
from cropsvc.queues import JobQueue
from cropsvc.settings.settings import Settings
from cropsvc.store import Store

BEYOND_CROP = 60  # seconds: RQ's own timeout must never be the one that ends a crop


def queue_from(settings: Settings, store: Store) -> JobQueue:
    """Return the queue that the settings name."""
    if settings.queue == "celery":
        from cropsvc.queues.celery.app import celery_app
        from cropsvc.queues.celery.queue import CeleryJobQueue

        return CeleryJobQueue(celery_app(settings), store)
    from cropsvc.queues.rq.queue import RqJobQueue

    seconds = settings.job_timeout + BEYOND_CROP
    return RqJobQueue(store.client, timeout=seconds, keep=settings.result_ttl)


def run_worker(settings: Settings, runner: JobRunner, *, burst: bool) -> int:
    """Work until a signal comes, or with *burst* until the queue is empty. Return the exit code."""
    if settings.queue == "celery":
        from cropsvc.queues.celery import worker as celery_worker

        return celery_worker.work(settings, runner, burst=burst)
    from cropsvc.queues.rq.worker import LeanWorker

    client = runner.store.client
    worker = LeanWorker(client, runner, queue_from(settings, runner.store))
    tune_allocator()
    worker.work(burst=burst, logging_level="DEBUG" if settings.log_level == "debug" else "WARNING")
    return 0


def is_alive(settings: Settings, client: Redis, host: str) -> bool:
    """Return whether a worker of the queue has a fresh heartbeat from *host*."""
    if settings.queue == "celery":
        store = Store(client, settings.lifetimes)
        return store.live_workers(host) > 0
    from cropsvc.queues.rq.liveness import is_alive as is_alive_on_rq

    return is_alive_on_rq(client, host)
