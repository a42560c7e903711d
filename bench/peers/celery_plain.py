"""Celery as it comes, on Redis as broker and result backend (BENCH_REDIS_URL)."""

import os
from functools import cache

from celery import Celery
from redis import Redis

from bench.peers import plain

QUEUE = "bench"
URL = os.environ["BENCH_REDIS_URL"]

app = Celery("bench", broker=URL, backend=URL)
app.conf.update(task_default_queue=QUEUE, broker_connection_retry_on_startup=True)


@cache
def client() -> Redis:
    """One client per process."""
    return Redis.from_url(URL)


@app.task(name="bench.crop")
def crop(source: str, result: str, request: str) -> None:
    """The job."""
    plain.crop(client(), source, result, request)
