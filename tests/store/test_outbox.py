"""Messages about ended jobs: written with the end, taken by one process, kept until settled."""

from dataclasses import replace

import pytest

from cropsvc.model.job import Job, JobRef, Output, Problem, Webhook
from cropsvc.store import JobResult, Store
from cropsvc.store.keys import OUTBOX, member_of
from tests.stack import until
from tests.store.conftest import OWNERS, begun, job_of

URL = "https://receiver.test/hook"
DONE = JobResult("done", (Output("0", "done", format="png"),), (b"crop",))
FAILED = JobResult("failed", error=Problem("crop-failed", "it failed"))


def hooked(store: Store, job_id: str, data: bytes = b"image") -> Job:
    job = replace(job_of(job_id, data), webhook=Webhook(URL))
    store.reserve(job.ref, 100, OWNERS)
    store.submit(job, data, None, None)
    return job


def webhook(store: Store, job_id: str) -> Webhook:
    job = store.load(JobRef("ann", job_id))
    assert isinstance(job, Job)
    assert job.webhook
    return job.webhook


@pytest.mark.parametrize("result", [DONE, FAILED], ids=["done", "failed"])
def test_the_end_of_a_job_puts_its_message_into_the_outbox(store: Store, result: JobResult) -> None:
    job = hooked(store, "a")
    assert store.due_messages(10) == []
    store.finish(begun(store, job), result)
    assert store.due_messages(10) == [job.ref]
    assert webhook(store, "a").state == "waiting"


def test_a_cancel_does_so_too(store: Store) -> None:
    job = hooked(store, "a")
    store.remove(job)
    assert store.due_messages(10) == [job.ref]


def test_a_shared_result_does_so_too(store: Store) -> None:
    store.finish(begun(store, hooked(store, "a")), DONE)
    other = replace(job_of("b"), webhook=Webhook(URL))
    store.reserve(other.ref, 100, OWNERS)
    assert store.share(other, b"image", None)
    assert set(store.due_messages(10)) == {JobRef("ann", "a"), JobRef("ann", "b")}


def test_a_job_without_a_webhook_leaves_the_outbox_empty(store: Store) -> None:
    job = job_of("a")
    store.reserve(job.ref, 100, OWNERS)
    store.submit(job, b"image", None, None)
    store.finish(begun(store, job), DONE)
    assert store.client.exists(OUTBOX) == 0


def test_one_process_gets_a_message_and_the_next_after_the_lease(store: Store) -> None:
    job = hooked(store, "a")
    store.finish(begun(store, job), DONE)
    assert store.claim_message(job.ref, 0.2)
    assert not store.claim_message(job.ref, 0.2)
    until(lambda: store.due_messages(1), seconds=5, what="the lease is over")
    assert store.claim_message(job.ref)


def test_a_delivered_message_is_gone_and_the_job_says_so(store: Store) -> None:
    job = hooked(store, "a")
    store.finish(begun(store, job), DONE)
    store.claim_message(job.ref)
    assert store.settle_message(job.ref, "delivered", 200, 0) == "delivered"
    assert store.client.exists(OUTBOX) == 0
    assert webhook(store, "a") == Webhook(URL, "delivered", 1, 200, None)


def test_a_message_that_waits_comes_back_when_it_is_due(store: Store) -> None:
    job = hooked(store, "a")
    store.finish(begun(store, job), DONE)
    store.claim_message(job.ref)
    assert store.settle_message(job.ref, "waiting", 500, 5) == "waiting"
    found = webhook(store, "a")
    assert (found.state, found.attempts, found.last_status) == ("waiting", 1, 500)
    assert found.next_at == store.client.zscore(OUTBOX, member_of(job.ref))
    assert store.due_messages(1) == []


def test_a_message_whose_job_expires_first_has_failed(store: Store) -> None:
    job = hooked(store, "a")
    store.finish(begun(store, job), DONE)
    store.claim_message(job.ref)
    assert store.settle_message(job.ref, "waiting", 500, 61) == "failed"  # results live for 60 s
    assert webhook(store, "a").state == "failed"
    assert store.client.exists(OUTBOX) == 0


def test_a_message_of_a_job_that_is_gone_is_dropped(store: Store) -> None:
    job = hooked(store, "a")
    store.finish(begun(store, job), DONE)
    store.client.delete("cropsvc:job:ann:a")
    assert store.settle_message(job.ref, "waiting", 500, 1) == "gone"
    assert store.client.exists(OUTBOX) == 0


def test_a_deleted_job_sends_nothing_any_more(store: Store) -> None:
    job = hooked(store, "a")
    store.finish(begun(store, job), DONE)
    store.remove(replace(job, state="done"))
    assert store.due_messages(1) == []


def test_a_message_can_be_sent_again(store: Store) -> None:
    job = hooked(store, "a")
    assert not store.resend_message(job.ref)
    store.finish(begun(store, job), DONE)
    store.claim_message(job.ref)
    store.settle_message(job.ref, "delivered", 200, 0)
    assert store.resend_message(job.ref)
    assert store.due_messages(1) == [job.ref]
    assert webhook(store, "a").attempts == 1


@pytest.mark.parametrize("state", ["delivered", "failed", "waiting"])
def test_a_message_asked_for_during_its_delivery_is_sent_again(store: Store, state: str) -> None:
    job = hooked(store, "a")
    store.finish(begun(store, job), DONE)
    store.claim_message(job.ref)
    store.resend_message(job.ref)
    store.settle_message(job.ref, state, 200, 5)
    assert store.due_messages(1) == [job.ref]
    assert (webhook(store, "a").state, webhook(store, "a").attempts) == ("waiting", 1)


def test_the_oldest_message_has_an_age(store: Store) -> None:
    assert store.oldest_message() == 0
    job = hooked(store, "a")
    store.finish(begun(store, job), DONE)
    store.client.zincrby(OUTBOX, -5000, member_of(job.ref))
    assert 5 <= store.oldest_message() < 10
