"""Slots in the queue: the cap, the owners' shares, and slots that are given back."""

import pytest

from cropsvc.model.job import JobRef
from cropsvc.store import QueueFull, Store
from tests.store.conftest import OWNERS, submitted


def test_reserving_counts_the_jobs_that_wait_before(store: Store) -> None:
    assert store.reserve(JobRef("ann", "a"), 10, OWNERS).waiting == 0
    assert store.reserve(JobRef("ann", "b"), 10, OWNERS).waiting == 1


def test_the_last_slot_is_kept_for_an_owner_without_jobs(store: Store) -> None:
    for number in range(9):
        store.reserve(JobRef("ann", f"a{number}"), 10, OWNERS)
    with pytest.raises(QueueFull):
        store.reserve(JobRef("ann", "one-too-many"), 10, OWNERS)
    store.reserve(JobRef("bob", "b"), 10, OWNERS)


def test_an_owner_gets_no_more_than_its_share_while_another_waits(store: Store) -> None:
    store.reserve(JobRef("bob", "b"), 10, OWNERS)
    for number in range(5):
        store.reserve(JobRef("ann", f"a{number}"), 10, OWNERS)
    with pytest.raises(QueueFull) as full:
        store.reserve(JobRef("ann", "one-too-many"), 10, OWNERS)
    assert full.value.waiting == 5


def test_a_full_queue_says_how_many_wait(store: Store) -> None:
    store.reserve(JobRef("ann", "a"), 1, ["ann"])
    with pytest.raises(QueueFull) as full:
        store.reserve(JobRef("ann", "b"), 1, ["ann"])
    assert full.value.waiting == 1


def test_a_released_slot_is_free_again(store: Store) -> None:
    store.reserve(JobRef("ann", "a"), 1, ["ann"])
    store.release(JobRef("ann", "a"))
    assert store.reserve(JobRef("ann", "b"), 1, ["ann"]).waiting == 0


def test_releasing_a_slot_that_a_job_took_leaves_the_job_waiting(store: Store) -> None:
    job = submitted(store, "a")
    store.release(job.ref)
    assert store.waiting() == 1


def test_an_expired_reservation_frees_its_slot(store: Store, client) -> None:
    store.reserve(JobRef("ann", "a"), 1, ["ann"])
    for key in ("cropsvc:pending", "cropsvc:pending:ann"):
        client.zincrby(key, -301_000, "ann/a")  # its 300 s have passed
    assert store.reserve(JobRef("ann", "b"), 1, ["ann"]).waiting == 0


def test_reserved_slots_do_not_count_as_waiting_jobs(store: Store) -> None:
    store.reserve(JobRef("ann", "a"), 10, OWNERS)
    assert store.waiting() == 0
    submitted(store, "b")
    assert store.waiting() == 1
