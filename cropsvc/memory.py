"""Refusing before Redis is full: under `noeviction` a full server stops every worker."""

import time
from typing import Any

from cropsvc.store import Store

FULL = 0.75  # of maxmemory
LOOK_SECONDS = 0.5  # a reading is believed so long
SHED = 20  # retained uploads given up at a time
MOST_SHEDS = 50


class MemoryGauge:
    """Whether the store's memory is short, after giving up uploads kept for cropping again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._short = False
        self._until = 0.0

    def is_short(self) -> bool:
        """Whether more than FULL of the server's `maxmemory` is used."""
        if time.monotonic() >= self._until:
            self._until = time.monotonic() + LOOK_SECONDS
            self._short = self._is_full() and not self._shed()
        return self._short

    def _shed(self) -> bool:
        for _ in range(MOST_SHEDS):
            if not self._store.shed_sources(SHED):
                return False
            if not self._is_full():
                return True
        return False

    def _is_full(self) -> bool:
        memory: dict[str, Any] = self._store.client.info("memory")
        limit = int(memory.get("maxmemory", 0))
        return limit > 0 and int(memory["used_memory"]) > FULL * limit
