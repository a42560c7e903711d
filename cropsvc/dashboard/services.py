"""What the dashboard's views work with."""

from dataclasses import dataclass

from flask import current_app
from redis import Redis

from cropsvc.queues.rq.queue import RqJobQueue
from cropsvc.store import Store

EXTENSION = "cropsvc.dashboard"


@dataclass(frozen=True)
class Services:
    """The store of records, RQ, and for how long (seconds) ended jobs stay on RQ's books."""

    client: Redis
    store: Store
    job_queue: RqJobQueue
    keep: int


def services() -> Services:
    """Return the desk of the app that serves this request."""
    found: Services = current_app.extensions[EXTENSION]
    return found
