"""Waiting for jobs: one subscription for each front end process, fanned out to its waiters.

A change wakes every waiter of the job. One of them reads the job, and the others take its result:
without that, 300 long polls on one job were 300 reads at once, for 64 connections.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from cropsvc.model.job import Job, JobRef
from cropsvc.store import JobChange, NoFreeConnection, StoreUnavailable
from cropsvc.store.model import Deleted

RECHECK_SECONDS = 5.0  # a lost message delays a waiter by no more than this
RETRY_SECONDS = 0.5
LISTEN_SECONDS = 0.3  # the longest wait for the listener to subscribe; then it wakes all waiters
FRESH_SECONDS = 0.5  # a waiter that was not woken takes a result that is no older
CONNECTION_SECONDS = 5.0  # how long a waiter tries to get a connection

Found = Job | Deleted | None


class WatchedJob:
    """One job that is watched: one read for each change, shared by all its watchers."""

    def __init__(self, ref: JobRef, load: Callable[[JobRef], Found]) -> None:
        self.watchers: set[Subscription] = set()
        self.carried: bytes | None = None  # by the message of its end
        self._ref, self._load = ref, load
        self._changes = 0  # messages about the job
        self._reading = threading.Lock()
        self._found: Found = None
        self._found_changes, self._found_at = -1, 0.0  # as of the beginning of the read
        self._failure: StoreUnavailable | None = None
        self._failed_at = 0.0

    def wake(self, *, is_end: bool) -> None:
        """Let the watchers look that wait for such a change."""
        self._changes += 1
        for watcher in list(self.watchers):
            if is_end or watcher.every_change:
                watcher.wake()

    def read(self) -> Found:
        """Return the job as it was after the last change, or after another watcher's read.

        Raises StoreUnavailable, with the watchers that waited for the same read.
        """
        changes, asked = self._changes, time.monotonic()
        with self._reading:
            if self._failure and self._failed_at >= asked:
                # A new exception: one that many raise would grow by each one's traceback.
                raise type(self._failure)(str(self._failure)) from self._failure
            if self._found_changes < changes or asked - self._found_at > FRESH_SECONDS:
                self._read()
            return self._found

    def _read(self) -> None:
        changes, began = self._changes, time.monotonic()
        try:
            self._found = self._loaded(began + CONNECTION_SECONDS)
        except StoreUnavailable as error:
            self._failure, self._failed_at = error, time.monotonic()
            raise
        self._found_changes, self._found_at, self._failure = changes, began, None

    def _loaded(self, deadline: float) -> Found:
        while True:
            try:
                return self._load(self._ref)
            except NoFreeConnection:  # a crowd on other jobs: its reads end soon
                if time.monotonic() > deadline:
                    raise


class Subscription:
    """One waiter's view of one job: a change sets it, looking clears it."""

    def __init__(self, job: WatchedJob, *, every_change: bool) -> None:
        self.every_change = every_change
        self._job = job
        self._changed = threading.Event()

    def wait(self, seconds: float) -> bool:
        """Wait for a change for at most *seconds*, and return whether one came."""
        came = self._changed.wait(max(0.0, min(seconds, RECHECK_SECONDS)))
        self._changed.clear()
        return came

    def wake(self) -> None:
        """Let the waiter look."""
        self._changed.set()

    @property
    def carried(self) -> bytes | None:
        """What the message of the job's end carried; None before it came, or if it was bare."""
        return self._job.carried

    def read(self) -> Found:
        """Return the job, read once for all its waiters. Raises StoreUnavailable."""
        return self._job.read()


class JobEvents:
    """Listens to the store's changes and wakes the waiters of the job that they name.

    The listener starts with the first waiter, so that it belongs to the process that serves.
    Under gevent its thread is a greenlet.
    """

    def __init__(
        self,
        changes: Callable[[], Iterator[JobChange | None]],
        load: Callable[[JobRef], Found],
    ) -> None:
        self._changes, self._load = changes, load
        self._jobs: dict[JobRef, WatchedJob] = {}
        self._lock = threading.Lock()
        self._listening = threading.Event()
        self._listener: threading.Thread | None = None

    @contextlib.contextmanager
    def watch(self, ref: JobRef, *, every_change: bool = False) -> Iterator[Subscription]:
        """Watch a job's end, or every change. Read the job after this began."""
        self._start()
        with self._lock:
            job = self._jobs.get(ref)
            if job is None:
                job = self._jobs[ref] = WatchedJob(ref, self._load)
            watcher = Subscription(job, every_change=every_change)
            job.watchers.add(watcher)
        try:
            yield watcher
        finally:
            with self._lock:
                job.watchers.discard(watcher)
                if not job.watchers:
                    del self._jobs[ref]

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
            except StoreUnavailable:
                self._listening.set()  # a waiter must not wait for a store that is down
                time.sleep(RETRY_SECONDS)

    def _follow(self) -> None:
        changes = self._changes()
        next(changes)
        self._listening.set()
        self._wake_all()  # a change before the subscription sent no message here
        for change in changes:
            if change:
                self._wake(change)

    def _wake(self, change: JobChange) -> None:
        with self._lock:
            job = self._jobs.get(change.ref)
        if job:
            job.carried = change.carried or job.carried
            job.wake(is_end=change.is_end)

    def _wake_all(self) -> None:
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.wake(is_end=True)
