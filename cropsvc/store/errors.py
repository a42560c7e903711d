"""What the store raises. Outside `store` and `queues` no module knows redis-py's exceptions.

StoreUnavailable      the store cannot be used now: try again
├── NoFreeConnection  the store may be well, but this process has no connection to spare
└── StoreRefused      the store answers, but refuses: read-only, a wrong password, a failing disk
    └── StoreFull     its memory is at its limit
ClaimTaken            another request took the idempotency key first
QueueFull             no slot is free
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

from redis.exceptions import OutOfMemoryError, RedisError, ResponseError

T = TypeVar("T")

NO_FREE_CONNECTION = "No connection available."  # redis-py has no class for it


class StoreUnavailable(Exception):
    """The store cannot be used now."""


class NoFreeConnection(StoreUnavailable):
    """All connections of this process are in use. The store itself may be well."""


class StoreRefused(StoreUnavailable):
    """The store answers, but refuses the command."""


class StoreFull(StoreRefused):
    """The store refuses what needs memory: it uses more than its `maxmemory`."""


class ClaimTaken(Exception):
    """Another request claimed the idempotency key first."""


class QueueFull(Exception):
    """No slot is free. `waiting` is how many jobs wait already."""

    def __init__(self, waiting: int) -> None:
        super().__init__(waiting)
        self.waiting = waiting


@contextmanager
def hidden_redis() -> Iterator[None]:
    """Raise StoreUnavailable or a subclass for redis-py's errors."""
    try:
        yield
    except RedisError as error:
        raise _kind_of(error)(str(error) or type(error).__name__) from error


def hides_redis(cls: type[T]) -> type[T]:
    """Let the public methods of a class raise the store's errors for redis-py's."""
    for name, member in list(vars(cls).items()):
        if callable(member) and not name.startswith("_"):
            setattr(cls, name, _hiding(member))
    return cls


def _hiding(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def hiding(*arguments: Any, **named: Any) -> Any:
        try:
            return method(*arguments, **named)
        except RedisError as error:
            raise _kind_of(error)(str(error) or type(error).__name__) from error

    return hiding


def _kind_of(error: RedisError) -> type[StoreUnavailable]:
    # A script that was refused for lack of memory raises a plain ResponseError in redis-py 8.1.
    if isinstance(error, OutOfMemoryError) or "OOM command" in str(error):
        return StoreFull
    if isinstance(error, ResponseError):
        return StoreRefused
    return NoFreeConnection if str(error) == NO_FREE_CONNECTION else StoreUnavailable
