"""Deletes objects whose pointer is gone, in a thread of each worker."""

import logging
import threading
import time

from cropsvc.store import Store, StoreUnavailable
from cropsvc.store.blobs import SWEEP_SECONDS, SWEPT

log = logging.getLogger(__name__)


class Sweeper:
    """A thread that sweeps every few seconds. Without an object store there is none."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def start(self) -> None:
        """Sweep until the process ends."""
        if self._store.keeps_objects:
            threading.Thread(target=self._run, name="sweeper", daemon=True).start()

    def _run(self) -> None:
        logged = ""
        while True:
            try:
                swept = self._store.sweep_objects()
                logged = ""
            except StoreUnavailable as error:
                swept = 0
                if str(error) != logged:  # one line for each kind of trouble
                    logged = str(error)
                    log.warning("expired objects cannot be deleted: %s", logged)
            # A full sweep has more to do; the turn, which expires, keeps the pace.
            time.sleep(SWEEP_SECONDS / 4 if swept >= SWEPT else SWEEP_SECONDS)
