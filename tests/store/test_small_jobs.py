"""Small jobs: stored and queued in one step, their result carried by the message of their end."""

from dataclasses import replace

import pytest

from cropsvc.model.job import JobRef
from cropsvc.store import QueueFull, Store, done_job
from tests.store.conftest import OWNERS, begun, job_of, submitted
from tests.store.test_jobs import DONE, loaded


def test_without_a_result_to_share_a_small_job_is_stored_and_queued_at_once(
    store: Store, client
) -> None:
    slot, shared = store.submit_at_once(
        job_of("a"), b"image", lambda pipe: pipe.rpush("queue", "a", b"\xff\n"), 10, OWNERS
    )
    assert (slot.waiting, shared) == (0, False)
    assert client.lrange("queue", 0, -1) == [b"a", b"\xff\n"]
    job = loaded(store, "a")
    assert (job.state, job.position, store.source(job)) == ("queued", 1, b"image")
    assert abs(job.created - store.now()) < 10_000
    assert begun(store, job).data == b"image"


def test_a_small_job_is_refused_without_a_trace_when_the_queue_is_full(
    store: Store, client
) -> None:
    submitted(store, "a")
    with pytest.raises(QueueFull) as full:
        store.submit_at_once(job_of("b"), b"image", None, 1, ["ann"])
    assert full.value.waiting == 1
    assert store.load(JobRef("ann", "b")) is None
    assert not client.exists("cropsvc:source:ann:b")


def test_an_expired_slot_is_free_for_a_small_job(store: Store, client) -> None:
    store.reserve(JobRef("ann", "a"), 1, ["ann"])
    for key in ("cropsvc:pending", "cropsvc:pending:ann"):
        client.zincrby(key, -301_000, "ann/a")  # its 300 s have passed
    store.submit_at_once(job_of("b"), b"image", None, 1, ["ann"])
    assert store.waiting() == 1


def test_the_end_of_an_awaited_job_carries_its_result(store: Store) -> None:
    changes = store.changes()
    next(changes)
    job = replace(job_of("a"), awaited=True)
    store.submit_at_once(job, b"image", None, 10, OWNERS)
    store.finish(begun(store, job), DONE)
    change = next(one for one in changes if one)
    assert (change.ref, change.is_end) == (job.ref, True)
    ended, data = done_job(job, change.carried)
    assert data == b"crop"
    assert ended == replace(loaded(store, "a"), awaited=True, created=job.created)


@pytest.mark.parametrize(("awaited", "data"), [(False, b"crop"), (True, b"x" * 65_537)])
def test_no_other_end_carries_bytes(store: Store, awaited: bool, data: bytes) -> None:
    changes = store.changes()
    next(changes)
    job = replace(job_of("a"), awaited=awaited)
    store.submit_at_once(job, b"image", None, 10, OWNERS)
    store.finish(begun(store, job), replace(DONE, blobs=(data,)))
    change = next(one for one in changes if one)
    assert change.carried is None
    assert store.result(loaded(store, "a"), 0) == data
