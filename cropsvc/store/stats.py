"""The store as a whole: its counters, its clock, its memory."""

from collections.abc import Mapping
from typing import Any, cast

from redis.client import Pipeline

from cropsvc.store.blobs import Blobs
from cropsvc.store.errors import hides_redis
from cropsvc.store.keys import COUNTS, PACE, PENDING, PROBE, RESERVED, RETAINED


@hides_redis
class Stats(Blobs):
    """Figures about the queue and the server."""

    def count(self, increments: Mapping[str, int]) -> None:
        """Add to the counters that all processes share.

        A process that uses the kept secrets writes them again here, in case of a FLUSHALL.
        """

        def fill(pipe: Pipeline) -> None:
            for name, amount in increments.items():
                pipe.hincrby(COUNTS, name, amount)
            if self._kept_secrets:
                self._queue_secrets(pipe)

        results = self._pipeline(fill)
        if self._kept_secrets and isinstance(results[-1], list):
            self._note_secrets(results[-1])

    def counts(self) -> dict[str, float]:
        """Return the counters that all processes share, since the store was made."""
        found = cast(dict[bytes, bytes], self.client.hgetall(COUNTS))
        return {name.decode(): float(value) for name, value in found.items()}

    def check_writable(self) -> None:
        """Raise StoreUnavailable if the server rejects writes. PING succeeds even then."""
        self.client.set(PROBE, "1", ex=10)

    def now(self) -> int:
        """Return the time by the store's clock, the only one that decides; ms since the epoch."""
        seconds, micros = self.client.time()
        return seconds * 1000 + micros // 1000

    def memory(self) -> tuple[int, int]:
        """Return the bytes that the server uses, and its `maxmemory`; 0 for none."""
        facts: dict[str, Any] = self.client.info("memory")
        return int(facts["used_memory"]), int(facts.get("maxmemory", 0))

    def pace(self) -> float:
        """Return how many jobs ended per second while there were any; 0 before the first.

        The last 64 ends count. The pace falls while jobs wait and none ends.
        """
        with self.client.pipeline(transaction=False) as pipe:
            pipe.lrange(PACE, 0, -1)
            pipe.zrangebyscore(PENDING, 0, RESERVED, start=0, num=1, withscores=True)
            pipe.time()
            ends, oldest, (seconds, _) = pipe.execute()
        if not ends:
            return 0.0
        idle_since = max(int(ends[0].split()[0]), oldest[0][1]) if oldest else seconds * 1000
        busy = sum(int(end.split()[-1]) for end in ends)
        span: float = busy + max(0.0, seconds * 1000 - idle_since)
        return len(ends) * 1000 / max(span, 1.0)  # a job may end in the millisecond it came

    def waiting(self) -> int:
        """Return how many jobs wait, reserved slots not counted."""
        return self.client.zcount(PENDING, 0, RESERVED)

    def oldest_wait(self, now: float) -> float:
        """Return how many seconds the oldest waiting job has waited, at *now* (seconds)."""
        first = cast(
            list[tuple[bytes, float]],
            self.client.zrangebyscore(PENDING, 0, RESERVED, start=0, num=1, withscores=True),
        )
        return max(0.0, now - first[0][1] / 1000) if first else 0.0

    def shed_sources(self, count: int) -> int:
        """Delete the *count* oldest uploads that are only kept for cropping again.

        Return how many there were. This works above `maxmemory` too. Pointers to an object store
        stay: they take no room.
        """
        if self.keeps_objects:
            return 0
        return int(self._run("shed", [RETAINED], [count]))
