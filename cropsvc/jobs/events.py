"""Waiting for jobs: one subscription for each front end process, fanned out to its waiters."""

import contextlib
import threading
import time
from collections.abc import Iterator

from redis import Redis
from redis.exceptions import RedisError

from cropsvc.model.job import PENDING
from cropsvc.store.keys import EVENTS

RECHECK_SECONDS = 5.0  # a lost message costs no longer than this
RETRY_SECONDS = 0.5
LISTEN_SECONDS = 0.3  # who begins to watch before the listener listens is woken when it does


class Subscription:
    """One waiter's view of one job: set by news, cleared by looking."""

    def __init__(self, *, every_change: bool) -> None:
        self.every_change = every_change
        self._news = threading.Event()

    def wait(self, seconds: float) -> bool:
        """Whether news came within *seconds*; looking clears it."""
        came = self._news.wait(max(0.0, min(seconds, RECHECK_SECONDS)))
        self._news.clear()
        return came

    def wake(self) -> None:
        """Tells the waiter to look."""
        self._news.set()


class JobEvents:
    """Listens to the store's events and wakes who waits for the job that they name.

    The listener starts with the first waiter, so that it belongs to the process that serves.
    Under gevent its thread is a greenlet.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._watches: dict[str, set[Subscription]] = {}
        self._lock = threading.Lock()
        self._listening = threading.Event()
        self._listener: threading.Thread | None = None

    @contextlib.contextmanager
    def watch(self, job_id: str, *, every_change: bool = False) -> Iterator[Subscription]:
        """Watches *job_id*'s end, or every change; read the job's state after this began."""
        self._start()
        watch = Subscription(every_change=every_change)
        with self._lock:
            self._watches.setdefault(job_id, set()).add(watch)
        try:
            yield watch
        finally:
            with self._lock:
                watches = self._watches[job_id]
                watches.discard(watch)
                if not watches:
                    del self._watches[job_id]

    def _start(self) -> None:
        with self._lock:
            if self._listener is None:
                self._listener = threading.Thread(target=self._listen, daemon=True)
                self._listener.start()
        self._listening.wait(LISTEN_SECONDS)

    def _listen(self) -> None:
        while True:
            try:
                self._follow()
            except RedisError:
                self._listening.set()  # nobody need wait for a store that is away
                time.sleep(RETRY_SECONDS)

    def _follow(self) -> None:
        with self._client.pubsub(  # type: ignore[no-untyped-call]  # redis-py leaves it so
            ignore_subscribe_messages=True
        ) as pubsub:
            pubsub.subscribe(EVENTS)
            pubsub.get_message(timeout=1.0)  # the confirmation
            self._listening.set()
            self._wake_all()  # what happened before is not told again
            while True:
                message = pubsub.get_message(timeout=RECHECK_SECONDS)
                if message:
                    self._hear(message["data"])

    def _hear(self, news: bytes) -> None:
        words = news.decode(errors="replace").split(" ")
        if len(words) == 3:  # else it is not ours, and must not end the listener
            self._wake(words[1], is_end=words[2] not in PENDING)

    def _wake(self, job_id: str, *, is_end: bool) -> None:
        with self._lock:
            watches = list(self._watches.get(job_id, ()))
        for watch in watches:
            if is_end or watch.every_change:
                watch.wake()

    def _wake_all(self) -> None:
        with self._lock:
            watches = [watch for group in self._watches.values() for watch in group]
        for watch in watches:
            watch.wake()
