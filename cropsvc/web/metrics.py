"""Figures for Prometheus: the same whichever front end process answers.

Jobs are counted by the store's own scripts as they end. Requests and bytes are counted in each
process and added to the store's figures every second, and before a scrape is answered.
"""

import threading
import time
from collections import Counter
from contextlib import suppress

from flask import Blueprint, Flask, Response, current_app, request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest

from cropsvc.store import Store, StoreUnavailable
from cropsvc.web.metric_families import StoreCollector
from cropsvc.web.problems import problem_code
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
        """Count *amount* under *name*: a family and its labels' values, with colons between."""
        self._counted[name] += amount
        if self._flusher is None:
            self._flusher = threading.Thread(target=self._flush_for_ever, daemon=True)
            self._flusher.start()

    def flush(self) -> None:
        """Add what was counted to the store's figures."""
        counted, self._counted = self._counted, Counter()
        if not counted:
            return
        try:
            self._store.count(counted)
        except StoreUnavailable:
            self._counted.update(counted)
            raise

    def _flush_for_ever(self) -> None:
        while True:
            time.sleep(FLUSH_SECONDS)
            try:
                self.flush()
            except StoreUnavailable:
                continue  # kept, and tried again


def install(app: Flask, store: Store) -> None:
    """Count what *app* answers."""
    app.extensions[EXTENSION] = Tallies(store)
    app.after_request(_count)


@bp.get("/metrics")
def metrics() -> Response:
    """All figures, in Prometheus' text format; 200 without Redis too, which one of them shows."""
    tallies: Tallies = current_app.extensions[EXTENSION]
    with suppress(StoreUnavailable):
        tallies.flush()
    registry = CollectorRegistry()
    registry.register(StoreCollector(services().store, services().jobs))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def count(name: str, amount: int = 1) -> None:
    """Count *amount* for the current app; *name* as `Tallies.add` takes it."""
    tallies: Tallies = current_app.extensions[EXTENSION]
    tallies.add(name, amount)


def _count(response: Response) -> Response:
    tallies: Tallies = current_app.extensions[EXTENSION]
    tallies.add(f"requests:{request.endpoint or 'none'}:{response.status_code}")
    if code := problem_code():
        tallies.add(f"problems:{code}")
    if request.method == "POST" and response.status_code < 400:
        tallies.add("bytes:in", request.content_length or 0)
    if (response.content_type or "").startswith("image/"):
        tallies.add("bytes:out", response.content_length or 0)
    return response
