"""Figures for Prometheus: the same whichever front end process answers.

Jobs are counted by the store's own scripts as they end. Requests and bytes are counted in each
process and added to the store's figures every second, and before a scrape is answered.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator

from flask import Blueprint, Flask, Response, current_app, request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from cropsvc.scripts import BOUNDS
from cropsvc.store import Store
from cropsvc.web.services import services

EXTENSION = "cropsvc-metrics"
FLUSH_SECONDS = 1.0

bp = Blueprint("metrics", __name__)


class Tallies:
    """What this process counted and has not added to the store's figures yet."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counted: Counter[str] = Counter()
        self._flusher: threading.Thread | None = None

    def add(self, name: str, amount: int = 1) -> None:
        """Counts *amount* under *name*: a family and its labels' values, with colons between."""
        self._counted[name] += amount
        if self._flusher is None:
            self._flusher = threading.Thread(target=self._flush_for_ever, daemon=True)
            self._flusher.start()

    def flush(self) -> None:
        """Adds what was counted to the store's figures."""
        counted, self._counted = self._counted, Counter()
        if not counted:
            return
        try:
            self._store.count(counted)
        except RedisError:
            self._counted.update(counted)
            raise

    def _flush_for_ever(self) -> None:
        while True:
            time.sleep(FLUSH_SECONDS)
            try:
                self.flush()
            except RedisError:
                continue  # kept, and tried again


def install(app: Flask, store: Store) -> None:
    """Counts what *app* answers."""
    app.extensions[EXTENSION] = Tallies(store)
    app.after_request(_count)


@bp.get("/metrics")
def metrics() -> Response:
    """All figures, in Prometheus' text format."""
    tallies: Tallies = current_app.extensions[EXTENSION]
    tallies.flush()
    registry = CollectorRegistry()
    registry.register(_Figures())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _count(response: Response) -> Response:
    tallies: Tallies = current_app.extensions[EXTENSION]
    tallies.add(f"requests:{request.endpoint or 'none'}:{response.status_code}")
    if request.method == "POST" and response.status_code < 400:
        tallies.add("bytes:in", request.content_length or 0)
    if (response.content_type or "").startswith("image/"):
        tallies.add("bytes:out", response.content_length or 0)
    return response


class _Figures(Collector):
    """The store's figures as Prometheus' families."""

    def collect(self) -> Iterator[Metric]:
        """Reads them anew for each scrape."""
        counts = services().store.counts()
        yield from _gauges()
        yield _labelled(counts, "requests", ["endpoint", "status"], "Requests answered")
        yield _labelled(counts, "jobs", ["outcome", "reason"], "Jobs ended")
        yield _labelled(counts, "crop_process_deaths", ["reason"], "Crop processes that died")
        yield _labelled(counts, "bytes", ["direction"], "Bytes of uploads and of results sent")
        yield _histogram(counts, "wait", "Seconds from submit to start")
        yield _histogram(counts, "run", "Seconds from start to end")


def _gauges() -> Iterator[Metric]:
    jobs, store = services().jobs, services().store
    now = time.time()
    yield GaugeMetricFamily("cropsvc_queue_depth", "Jobs waiting", jobs.waiting())
    yield GaugeMetricFamily("cropsvc_queue_cap", "Jobs that may wait", jobs.cap)
    yield GaugeMetricFamily(
        "cropsvc_queue_oldest_seconds", "Age of the oldest waiting job", store.oldest_wait(now)
    )
    yield GaugeMetricFamily("cropsvc_workers", "Workers with a fresh heartbeat", jobs.workers())


def _labelled(
    counts: dict[str, float], name: str, labels: list[str], words: str
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"cropsvc_{name}", words, labels=labels)
    for field, value in sorted(counts.items()):
        what, *values = field.split(":")
        if what == name and len(values) == len(labels):
            family.add_metric(values, value)
    return family


def _histogram(counts: dict[str, float], name: str, words: str) -> HistogramMetricFamily:
    family = HistogramMetricFamily(f"cropsvc_job_{name}_seconds", words)
    total, buckets = 0.0, []
    for bound in (*BOUNDS, "+Inf"):
        total += counts.get(f"{name}:{bound}", 0.0)
        buckets.append((bound, total))
    family.add_metric([], buckets, counts.get(f"{name}:sum", 0.0))
    return family
