"""Waiters share one read for each change, and survive a store that is down for a moment."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue

import pytest

from cropsvc.jobs import service
from cropsvc.jobs.events import JobEvents
from cropsvc.jobs.service import Jobs, Policy
from cropsvc.model.errors import CropError, NotFound, Unavailable
from cropsvc.model.job import Job, JobRef
from cropsvc.model.limits import Limits
from cropsvc.store import JobChange, NoFreeConnection, StoreUnavailable
from cropsvc.store.model import DELETED
from tests.stack import until
from tests.store.conftest import job_of

CROWD = 40
REF = JobRef("ann", "a")


class FakeStore:
    """One job, the reads of it, and the failures that are still to come."""

    def __init__(self) -> None:
        self.job: Job | None = job_of("a")
        self.deleted = False
        self.reads: Counter[JobRef] = Counter()
        self.failures: list[Exception] = []
        self.changed: SimpleQueue[JobChange | Exception | None] = SimpleQueue()
        self.slow = 0.0
        self._lock = threading.Lock()

    def load(self, ref: JobRef):
        with self._lock:
            self.reads[ref] += 1
            failure = self.failures.pop(0) if self.failures else None
            found = DELETED if self.deleted else self.job
        time.sleep(self.slow)
        if failure:
            raise failure
        return found

    def load_with_bytes(self, ref: JobRef, index: int):
        return self.load(ref), b"bytes"

    def secrets(self) -> list[bytes]:
        return [b"secret"]

    def changes(self) -> Iterator[JobChange | None]:
        yield None
        while True:
            change = self.changed.get()
            if isinstance(change, Exception):
                raise change
            yield change

    def move(self, **changes: object) -> None:
        """Changes the job and sends the message."""
        assert self.job
        self.job = replace(self.job, **changes)
        self.changed.put(JobChange(self.job.ref, self.job.is_terminal))


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def events(store: FakeStore) -> JobEvents:
    return JobEvents(store.changes, store.load)


@pytest.fixture
def jobs(store: FakeStore, events: JobEvents) -> Jobs:
    policy = Policy(10, ("ann",), Limits(1, 1, 1, 1))
    return Jobs(store, None, events, policy)  # type: ignore[arg-type]


def waiting(events: JobEvents, count: int) -> None:
    """Waits until so many watch the job."""

    def watched() -> bool:
        job = events._jobs.get(REF)
        return job is not None and len(job.watchers) == count

    until(watched, seconds=10, what=f"{count} wait")


def test_a_crowd_of_waiters_costs_few_reads(store: FakeStore, events: JobEvents, jobs: Jobs):
    store.slow = 0.01
    with ThreadPoolExecutor(CROWD) as pool:
        waits = [pool.submit(jobs.wait, "ann", "a", 20) for _ in range(CROWD)]
        waiting(events, CROWD)
        before = store.reads[REF]
        store.move(state="done")
        assert {wait.result(10).state for wait in waits} == {"done"}
    assert before <= 3
    assert store.reads[REF] - before <= 2


def test_a_crowd_of_streams_sees_every_change_with_few_reads(
    store: FakeStore, events: JobEvents, jobs: Jobs
) -> None:
    store.job = replace(job_of("a"), state="running")
    with ThreadPoolExecutor(CROWD) as pool:
        streams = [pool.submit(lambda: [*jobs.follow("ann", "a")]) for _ in range(CROWD)]
        waiting(events, CROWD)
        store.move(state="done", progress=1.0)
        for stream in streams:
            assert stream.result(10)[-1].state == "done"
    assert store.reads[REF] <= 6


def test_a_waiter_without_a_connection_looks_again(store: FakeStore, jobs: Jobs) -> None:
    store.job = replace(job_of("a"), state="done")
    store.failures = [NoFreeConnection()] * 3
    assert jobs.wait("ann", "a", 5).state == "done"


def test_waiters_for_one_read_share_its_failure(store: FakeStore, jobs: Jobs) -> None:
    store.slow = 0.2
    store.failures = [StoreUnavailable("down")] * CROWD
    began = time.monotonic()
    with ThreadPoolExecutor(CROWD) as pool:
        waits = [pool.submit(jobs.wait, "ann", "a", 20) for _ in range(CROWD)]
        assert {type(wait.exception(10)) for wait in waits} == {StoreUnavailable}
    assert time.monotonic() - began < 0.2 * CROWD / 4
    assert store.reads[REF] < CROWD / 4


def test_a_wait_rides_out_a_short_outage(store: FakeStore, events: JobEvents, jobs: Jobs) -> None:
    with ThreadPoolExecutor(1) as pool:
        wait = pool.submit(jobs.wait, "ann", "a", 20)
        waiting(events, 1)
        until(lambda: store.reads[REF], seconds=10, what="it has looked once")
        store.failures = [StoreUnavailable("down")] * 2
        store.move(state="done")
        assert wait.result(10).state == "done"
    assert store.failures == []


def test_a_stream_rides_out_a_short_outage(store: FakeStore, events: JobEvents, jobs: Jobs) -> None:
    with ThreadPoolExecutor(1) as pool:
        stream = pool.submit(lambda: [*jobs.follow("ann", "a")])
        waiting(events, 1)
        until(lambda: store.reads[REF], seconds=10, what="it has looked once")
        store.failures = [StoreUnavailable("down")] * 2
        store.move(state="failed")
        assert stream.result(10)[-1].state == "failed"


def test_a_stream_says_that_the_store_stays_down(
    store: FakeStore, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "OUTAGE_SECONDS", 0.3)
    stream = jobs.follow("ann", "a")
    assert next(stream) == store.job
    store.failures = [StoreUnavailable("down")] * 1000
    with pytest.raises(Unavailable, match=r"0\.3 s"):
        list(stream)


def test_a_stream_of_a_job_that_vanishes_says_so(store: FakeStore, jobs: Jobs) -> None:
    stream = jobs.follow("ann", "a")
    assert next(stream) == store.job
    store.job = None
    with pytest.raises(CropError):
        list(stream)


def test_a_deleted_job_ends_its_streams_as_canceled(store: FakeStore, jobs: Jobs) -> None:
    stream = jobs.follow("ann", "a")
    next(stream)
    store.deleted = True
    assert [job.state for job in stream if job] == ["canceled"]


def test_an_unknown_job_is_refused_before_a_stream_begins(store: FakeStore, jobs: Jobs) -> None:
    store.job = None
    with pytest.raises(NotFound):
        jobs.follow("ann", "a")


def test_a_wait_that_is_over_returns_the_job_as_it_is(jobs: Jobs) -> None:
    began = time.monotonic()
    assert jobs.wait("ann", "a", 0.2).state == "queued"
    assert time.monotonic() - began < 5


def test_a_listener_that_lost_the_store_listens_again(
    store: FakeStore, events: JobEvents, jobs: Jobs
) -> None:
    with ThreadPoolExecutor(1) as pool:
        wait = pool.submit(jobs.wait, "ann", "a", 20)
        waiting(events, 1)
        store.changed.put(StoreUnavailable("down"))
        until(store.changed.empty, seconds=5, what="the listener met the outage")
        store.move(state="done")
        assert wait.result(10).state == "done"


def test_nothing_is_left_of_a_job_that_nobody_watches(events: JobEvents, jobs: Jobs) -> None:
    jobs.wait("ann", "a", 0.05)
    assert events._jobs == {}


def test_the_bytes_come_with_the_end(store: FakeStore, events: JobEvents, jobs: Jobs) -> None:
    with events.watch(REF) as watch:
        job = store.job
        store.move(state="done")
        ended, data = jobs.wait_on_bytes(watch, job, 10)
    assert (ended.state, data) == ("done", b"bytes")
