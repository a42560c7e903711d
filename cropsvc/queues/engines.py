"""Which engine the settings ask for.

Each is imported when it is asked for: with RQ nothing of Celery is loaded, nor needs to be there.
"""

from redis import Redis

from cropsvc.cropping.runner import JobRunner
from cropsvc.processes.memory_tuning import tune_allocator
from cropsvc.queues import Engine
from cropsvc.settings.settings import Settings
from cropsvc.store import Lifetimes, Store

BEYOND_CROP = 60  # seconds: RQ's own clock must never be the one that ends a crop


def engine_of(settings: Settings, store: Store) -> Engine:
    """The engine that puts jobs on the settings' queue."""
    if settings.queue == "celery":
        from cropsvc.queues.celery_app import celery_app
        from cropsvc.queues.celery_queue import CeleryEngine

        return CeleryEngine(celery_app(settings), store)
    from cropsvc.queues.rq_queue import RqEngine

    seconds = settings.job_timeout + BEYOND_CROP
    return RqEngine(store.client, timeout=seconds, keep=settings.result_ttl)


def run_worker(settings: Settings, runner: JobRunner, *, burst: bool) -> int:
    """Works until told to stop; *burst*: until the queue is empty. Gives the exit code."""
    if settings.queue == "celery":
        from cropsvc.queues import celery

        return celery.work(settings, runner, burst=burst)
    from cropsvc.queues.rq import LeanWorker

    client = runner.store.client
    worker = LeanWorker(client, runner, engine_of(settings, runner.store))
    tune_allocator()
    worker.work(burst=burst, logging_level="DEBUG" if settings.log_level == "debug" else "WARNING")
    return 0


def is_alive(settings: Settings, client: Redis, host: str) -> bool:
    """Whether a worker of the queue has a fresh heartbeat from *host*."""
    if settings.queue == "celery":
        store = Store(client, Lifetimes(settings.result_ttl, settings.source_ttl))
        return store.live_workers(host) > 0
    from cropsvc.queues.liveness import is_alive as is_alive_on_rq

    return is_alive_on_rq(client, host)
