"""Refuses uploads before Redis is full: under `noeviction` a full server stops every worker."""

import time

from cropsvc.store import Store

FULL = 0.75  # of maxmemory
READING_SECONDS = 0.5  # how long a reading is used, plus what was admitted since
SHED = 20  # retained uploads that are deleted at a time
MOST_SHEDS = 50


class MemoryGuard:
    """Checks for room in the store. Uploads that are only kept for cropping again go first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._used = 0
        self._limit = 0
        self._admitted = 0  # bytes since the reading
        self._until = 0.0

    def has_room(self, size: int) -> bool:
        """Return whether *size* more bytes leave the server below FULL of its `maxmemory`."""
        if time.monotonic() >= self._until or self._is_over(size):
            self._look()
            if self._is_over(size):
                self._shed(size)
        if self._is_over(size):
            return False
        self._admitted += size
        return True

    def _shed(self, size: int) -> None:
        for _ in range(MOST_SHEDS):
            if not self._store.shed_sources(SHED):
                return
            self._look()
            if not self._is_over(size):
                return

    def _is_over(self, size: int) -> bool:
        return self._limit > 0 and self._used + self._admitted + size > FULL * self._limit

    def _look(self) -> None:
        self._used, self._limit = self._store.memory()
        self._admitted = 0
        self._until = time.monotonic() + READING_SECONDS
