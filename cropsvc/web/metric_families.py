"""The store's figures as Prometheus' families, read for each scrape."""

import time
from collections.abc import Iterator, Mapping

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from cropsvc.jobs.service import Jobs
from cropsvc.model import errors
from cropsvc.store import Store, StoreRefused, StoreUnavailable
from cropsvc.store.model import BOUNDS

Counts = Mapping[str, float]

# Present from the start: Prometheus sees no increase where a series begins.
FAILURES = (errors.CropFailed, errors.TimedOut, errors.OutOfMemory, errors.Unreadable)
JOBS = (
    ("done", ""),
    ("done", "cached"),
    ("canceled", ""),
    *(("failed", error.code) for error in FAILURES),
)
DEATHS = (("overdue",), ("SIGKILL",), ("SIGSEGV",), ("SIGABRT",), ("SIGBUS",), ("SIGXCPU",))
PROBLEMS = tuple(
    (error.code,)
    for error in (errors.Busy, errors.RateLimited, errors.Unavailable, errors.Internal)
)
FETCHES = tuple(
    (outcome,)
    for outcome in ("done", errors.SourceForbidden.code, errors.FetchFailed.code, errors.Busy.code)
)
WEBHOOKS = (("delivered",), ("waiting",), ("failed",))
DIRECTIONS = (("in",), ("out",))


class StoreCollector(Collector):
    """What all processes did together; without the store only that it is away."""

    def __init__(self, store: Store, jobs: Jobs) -> None:
        self._store = store
        self._jobs = jobs

    def collect(self) -> Iterator[Metric]:
        """Read them. Never raise what the store raises."""
        up = True
        families: list[Metric] = []
        try:
            up = self._takes_writes()
            families = [*self._gauges(), *_counted(self._store.counts())]
        except StoreUnavailable:
            up = False
        yield _gauge("redis_up", "Whether Redis answers and takes writes", up)
        yield from families

    def _takes_writes(self) -> bool:
        try:
            self._store.check_writable()
        except StoreRefused:  # it answers, so the figures can be read
            return False
        return True

    def _gauges(self) -> Iterator[Metric]:
        jobs, store = self._jobs, self._store
        used, limit = store.memory()
        yield _gauge("queue_depth", "Jobs waiting", jobs.waiting())
        yield _gauge("queue_cap", "Jobs that may wait", jobs.cap)
        oldest = store.oldest_wait(time.time())
        yield _gauge("queue_oldest_seconds", "Age of the oldest waiting job", oldest)
        yield _gauge("workers", "Workers with a fresh heartbeat", jobs.workers())
        waiting = store.oldest_message()
        yield _gauge("webhook_oldest_seconds", "Age of the oldest due webhook", waiting)
        yield _gauge("redis_memory_bytes", "Memory that Redis uses", used)
        yield _gauge("redis_memory_limit_bytes", "Its maxmemory, 0 for none", limit)


def _counted(counts: Counts) -> Iterator[Metric]:
    yield _labelled(counts, "requests", ["endpoint", "status"], "Requests answered")
    yield _labelled(counts, "problems", ["code"], "Requests answered with an error", PROBLEMS)
    yield _labelled(counts, "jobs", ["outcome", "reason"], "Jobs ended", JOBS)
    yield _labelled(counts, "crop_process_deaths", ["reason"], "Crop processes that died", DEATHS)
    yield _labelled(
        counts, "bytes", ["direction"], "Bytes of uploads and of results sent", DIRECTIONS
    )
    yield _labelled(counts, "fetches", ["outcome"], "Images fetched by URL", FETCHES)
    yield _labelled(counts, "fetch_bytes", [], "Bytes of images fetched by URL", ((),))
    yield _labelled(counts, "fetch_milliseconds", [], "Time of fetches by URL", ((),))
    yield _labelled(counts, "webhooks", ["outcome"], "Attempts to deliver webhooks", WEBHOOKS)
    yield _histogram(counts, "wait", "Seconds from submit to start")
    yield _histogram(counts, "run", "Seconds from start to end")


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"cropsvc_{name}", words, value)


def _labelled(
    counts: Counts,
    name: str,
    labels: list[str],
    words: str,
    known: tuple[tuple[str, ...], ...] = (),
) -> Metric:
    """Return the family *name*, with 0 for *known* labels that nothing was counted under."""
    family = CounterMetricFamily(f"cropsvc_{name}", words, labels=labels)
    known_and_counted = {":".join((name, *values)): 0.0 for values in known} | dict(counts)
    for field, value in sorted(known_and_counted.items()):
        what, *values = field.split(":")
        if what == name and len(values) == len(labels):
            family.add_metric(values, value)
    return family


def _histogram(counts: Counts, name: str, words: str) -> Metric:
    family = HistogramMetricFamily(f"cropsvc_job_{name}_seconds", words)
    total, buckets = 0.0, []
    for bound in (*BOUNDS, "+Inf"):
        total += counts.get(f"{name}:{bound}", 0.0)
        buckets.append((bound, total))
    family.add_metric([], buckets, counts.get(f"{name}:sum", 0.0))
    return family
