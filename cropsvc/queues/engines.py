"""Which engine the settings ask for."""

from redis import Redis

from cropsvc.config import Settings
from cropsvc.queues import Engine
from cropsvc.queues.rq_queue import RqEngine

BEYOND_CROP = 60  # seconds: RQ's own clock must never be the one that ends a crop


def engine_of(settings: Settings, client: Redis) -> Engine:
    """The engine that puts jobs on the settings' queue."""
    return RqEngine(client, timeout=settings.job_timeout + BEYOND_CROP, keep=settings.result_ttl)
