"""Takes due messages from the outbox and delivers them, many at a time, few to one receiver."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

import gevent
from gevent.pool import Pool

from cropsvc.model.job import Job, JobRef
from cropsvc.settings.settings import Settings
from cropsvc.store import Store, StoreUnavailable
from cropsvc.webhooks.delivery import Attempt, attempt
from cropsvc.webhooks.shares import DeliverySlot, Shares

AT_ONCE = 100
LOOK = 500  # due messages that are looked at
PAUSE_SECONDS = 0.25  # between two looks
CROWDED_SECONDS = 0.25  # a full share waits so long for the one before it

log = logging.getLogger(__name__)


class Courier:
    """Delivers until `stop` is called; several processes may share the work."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        deliver: Callable[[Job, Settings], Attempt] = attempt,
    ) -> None:
        self._store, self.settings, self._deliver = store, settings, deliver
        self._pool = Pool(AT_ONCE)
        self._shares = Shares()
        self._stopping = False

    def run(self) -> None:
        """Look for due messages again and again."""
        while not self._stopping:
            try:
                self.look()
            except StoreUnavailable as error:
                log.warning("the outbox cannot be read: %s", error)
                gevent.sleep(1.0)
            gevent.sleep(PAUSE_SECONDS)
        self._pool.join(timeout=20)

    def stop(self) -> None:
        """End after the deliveries that are on their way."""
        self._stopping = True

    def look(self) -> None:
        """Start a delivery for each due message that has a place."""
        put_off: Counter[str] = Counter()
        for ref in self._store.due_messages(LOOK):
            if self._pool.full():
                return
            job = self._store.load(ref)
            if not isinstance(job, Job) or job.webhook is None:
                self._store.settle_message(ref, "failed", 0, 0)  # it is gone
                continue
            receiver = urlsplit(job.webhook.url).netloc
            if not self._shares.has_room(receiver):
                full_shares = put_off[receiver] // self._shares.of(receiver)
                self._store.claim_message(ref, CROWDED_SECONDS * (1 + full_shares))
                put_off[receiver] += 1
            elif self._store.claim_message(ref):
                self._pool.spawn(self._send, ref, job, self._shares.take(receiver))

    def _send(self, ref: JobRef, job: Job, place: DeliverySlot) -> None:
        began = time.monotonic()
        answered = False
        try:
            made = self._deliver(job, self.settings)
            answered = made.status > 0
            state = self._store.settle_message(ref, made.state, made.status, made.wait)
            if state != "gone":  # its job was deleted while it was sent
                self._store.count({f"webhooks:{state}": 1})
        except StoreUnavailable as error:
            log.warning("a delivery cannot be noted; it is made again: %s", error)
            return
        finally:
            self._shares.give_back(place, answered=answered)
        seconds = round(time.monotonic() - began, 3)
        log.info("webhook %s: status %s in %s s, now %s", ref.id, made.status, seconds, state)
