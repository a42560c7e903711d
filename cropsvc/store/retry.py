"""Waiting for a store that is down or full."""

import time
from collections.abc import Callable
from typing import TypeVar

from redis.exceptions import RedisError

from cropsvc.store.errors import StoreUnavailable

T = TypeVar("T")


def until_available(
    step: Callable[[], T], pause: float, on_error: Callable[[Exception], None] = lambda _: None
) -> T:
    """Return *step*'s result, trying again after *pause* seconds while the store cannot be used.

    *on_error* is called with each error, before the pause.
    """
    while True:
        try:
            return step()
        except (StoreUnavailable, RedisError) as error:
            on_error(error)
            time.sleep(pause)
