"""Where the library `limits` counts requests."""

from limits.storage import RedisStorage

from cropsvc.store.errors import hides_redis


@hides_redis
class RateLimitStorage(RedisStorage):
    """Storage of the library `limits` that raises the store's errors."""

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count *amount* hits within *expiry* seconds; False if that passes *limit*."""
        return super().acquire_entry(key, limit, expiry, amount)

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the window began (seconds since the epoch), and the hits in it."""
        return super().get_moving_window(key, limit, expiry)
