"""Calls of the front end to an object store: in gevent's threads, and never for long."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from cropsvc.store.errors import StoreUnavailable

T = TypeVar("T")

FRONT_END_SECONDS = 1.2  # for one call: a submit must answer 503 within 2 s


class _Call(Generic[T]):
    """A step, and when it began and ended; 0.0 before."""

    def __init__(self, step: Callable[[], T]) -> None:
        self._step = step
        self.made = time.monotonic()
        self.began = self.ended = 0.0

    def __call__(self) -> T:
        self.began = time.monotonic()
        try:
            return self._step()
        finally:
            self.ended = time.monotonic()


class Patience:
    """Runs steps in threads, so that other requests go on.

    A step is late if it runs for FRONT_END_SECONDS. One that waits for a thread is late if no
    other ended for so long: then the store is away, and not only busy.
    """

    def __init__(self) -> None:
        self._last_end = 0.0

    def run(self, step: Callable[[], T]) -> T:
        """Return what *step* returns. Raises StoreUnavailable if it is late."""
        import gevent

        call = _Call(step)
        running = gevent.get_hub().threadpool.spawn(call)
        while not running.ready():
            since = call.began or max(call.made, self._last_end)
            left = since + FRONT_END_SECONDS - time.monotonic()
            if left <= 0 and not call.ended:  # a busy process hears of an end later
                raise StoreUnavailable(
                    f"the object store did not answer within {FRONT_END_SECONDS:g} s"
                )
            running.wait(max(left, 0.01))
        self._last_end = call.ended
        result: T = running.get()
        return result
