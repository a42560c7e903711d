"""The store as a whole: its figures, its clock, its memory."""

from collections.abc import Mapping
from typing import Any, cast

from cropsvc.store import scripts
from cropsvc.store.base import Base
from cropsvc.store.keys import COUNTS, PACE, PENDING, PROBE, RETAINED


class Stats(Base):
    """What is told of the queue and the server."""

    def count(self, increments: Mapping[str, int]) -> None:
        """Adds to the figures that all processes share."""
        with self.client.pipeline(transaction=False) as pipe:
            for name, amount in increments.items():
                pipe.hincrby(COUNTS, name, amount)
            pipe.execute()

    def counts(self) -> dict[str, float]:
        """The figures that all processes share, since the store was made."""
        found = cast(dict[bytes, bytes], self.client.hgetall(COUNTS))
        return {name.decode(): float(value) for name, value in found.items()}

    def check_writable(self) -> None:
        """Raises a RedisError unless the server takes writes: a PING does not tell."""
        self.client.set(PROBE, "1", ex=10)

    def now(self) -> int:
        """The store's clock, the only one that decides; ms since the epoch."""
        seconds, micros = self.client.time()
        return seconds * 1000 + micros // 1000

    def memory(self) -> tuple[int, int]:
        """Bytes that the server uses, and its `maxmemory`; 0 for none."""
        told: dict[str, Any] = self.client.info("memory")
        return int(told["used_memory"]), int(told.get("maxmemory", 0))

    def pace(self) -> float:
        """Jobs ended per second while any was there, lately; 0 before the first.

        Falls while jobs wait and none ends.
        """
        with self.client.pipeline(transaction=False) as pipe:
            pipe.lrange(PACE, 0, -1)
            pipe.zrangebyscore(PENDING, 0, scripts.RESERVED, start=0, num=1, withscores=True)
            pipe.time()
            ends, oldest, (seconds, _) = pipe.execute()
        if not ends:
            return 0.0
        idle_since = max(int(ends[0].split()[0]), oldest[0][1]) if oldest else seconds * 1000
        busy = sum(int(end.split()[-1]) for end in ends)
        span = busy + max(0.0, seconds * 1000 - idle_since)
        return len(ends) * 1000 / span if span else 0.0

    def waiting(self) -> int:
        """Jobs in the queue, reserved places not counted."""
        return self.client.zcount(PENDING, 0, scripts.RESERVED)

    def oldest_wait(self, now: float) -> float:
        """Seconds that the oldest waiting job has waited, at *now* (seconds)."""
        first = cast(
            list[tuple[bytes, float]],
            self.client.zrangebyscore(
                PENDING, 0, scripts.RESERVED, start=0, num=1, withscores=True
            ),
        )
        return max(0.0, now - first[0][1] / 1000) if first else 0.0

    def shed_sources(self, count: int) -> int:
        """Deletes the *count* oldest uploads that are only kept for cropping again."""
        oldest = cast(list[bytes], self.client.zrange(RETAINED, 0, count - 1))
        if oldest:
            with self.client.pipeline() as pipe:
                pipe.delete(*oldest)
                pipe.zrem(RETAINED, *oldest)
                pipe.execute()
        return len(oldest)
