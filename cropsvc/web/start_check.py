"""Log, once for each start, what is wrong with the configuration of Redis."""

import logging
import threading

from cropsvc.store import Store, until_available

RETRY_SECONDS = 2.0

log = logging.getLogger(__name__)


def in_background(store: Store) -> None:
    """Start the check. It waits for a store that is down, and holds up nobody."""
    threading.Thread(target=check, args=(store,), daemon=True, name="start-check").start()


def check(store: Store) -> None:
    """Log one warning for each part of the configuration that can lose jobs."""
    for warning in until_available(store.warnings, RETRY_SECONDS):
        log.warning("%s", warning)
