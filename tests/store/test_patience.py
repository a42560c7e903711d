"""Calls to an object store that take long, or wait behind others that do."""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import gevent
import pytest

from cropsvc.store import StoreUnavailable
from cropsvc.store import patience as patience_module
from cropsvc.store.patience import Patience

LIMIT = 0.4  # seconds


def with_threads(size: int, steps: list[float]) -> list[str]:
    """How steps of so many seconds end that begin together, in a hub of its own."""

    def run() -> list[str]:
        gevent.get_hub().threadpool.maxsize = size
        patience = Patience()

        def ended(seconds: float) -> str:
            try:
                return str(patience.run(partial(_slept, seconds)))
            except StoreUnavailable:
                return "late"

        return [one.get() for one in [gevent.spawn(ended, seconds) for seconds in steps]]

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()


def _slept(seconds: float) -> str:
    time.sleep(seconds)
    return "done"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than the real limit."""
    monkeypatch.setattr(patience_module, "FRONT_END_SECONDS", LIMIT)


def test_a_store_that_hangs_is_given_up() -> None:
    began = time.monotonic()
    assert with_threads(1, [2 * LIMIT, 0.0]) == ["late", "late"]
    assert time.monotonic() - began < 4 * LIMIT


def test_a_busy_store_is_waited_for_while_it_ends_calls() -> None:
    assert with_threads(1, [LIMIT / 2] * 4) == ["done"] * 4
