"""A job's way through the store: submit, begin, report, finish, remove, withdraw, reopen."""

import pytest

from cropsvc.model.job import Job, JobRef, Output, Problem
from cropsvc.store import (
    BeginVerdict,
    ClaimTaken,
    IdempotencyClaim,
    JobResult,
    Store,
)
from cropsvc.store.model import DELETED
from tests.store.conftest import OWNERS, begun, job_of, submitted

DONE = JobResult("done", (Output("0", "done", format="png"),), (b"crop",))
FAILED = JobResult("failed", error=Problem("crop-failed", "it failed"))
CLAIM = IdempotencyClaim("key", "print")


def done(store: Store, job_id: str, data: bytes = b"image") -> Job:
    job = submitted(store, job_id, data)
    assert store.finish(begun(store, job), DONE)
    return loaded(store, job_id)


def loaded(store: Store, job_id: str) -> Job:
    job = store.load(JobRef("ann", job_id))
    assert isinstance(job, Job)
    return job


def adopted(store: Store, job_id: str, upload_from: str) -> Job:
    """A job that waits for the upload of another one."""
    job = job_of(job_id)
    job = Job(**{**vars(job), "upload_from": upload_from})
    store.reserve(job.ref, 100, OWNERS)
    assert store.adopt(job.ref, upload_from)
    store.submit(job, None, None, None)
    return job


def test_a_submitted_job_waits_at_its_position(store: Store) -> None:
    submitted(store, "a")
    submitted(store, "b")
    assert (loaded(store, "a").position, loaded(store, "b").position) == (1, 2)
    assert loaded(store, "b").state == "queued"


def test_a_submit_runs_the_queues_commands_in_its_transaction(store: Store, client) -> None:
    job = job_of("a")
    store.submit(job, b"image", None, lambda pipe: pipe.lpush("rq:queue", "a"))
    assert client.lrange("rq:queue", 0, -1) == [b"a"]


def test_a_claim_that_another_request_took_is_reported(store: Store) -> None:
    store.submit(job_of("a"), b"image", CLAIM, None)
    with pytest.raises(ClaimTaken):
        store.submit(job_of("b"), b"image", CLAIM, None)
    assert store.load(JobRef("ann", "b")) is None
    assert store.claimed("ann", CLAIM) == ("a", True)
    assert store.claimed("ann", IdempotencyClaim("key", "other")) == ("a", False)


def test_beginning_takes_the_job_off_the_waiting_ones(store: Store) -> None:
    job = submitted(store, "a", b"bytes")
    claimed = begun(store, job)
    assert (claimed.data, claimed.upload_from) == (b"bytes", "a")
    assert (store.waiting(), loaded(store, "a").state) == (0, "running")
    assert loaded(store, "a").stage == "decoding"


def test_a_job_is_begun_at_most_five_times(store: Store) -> None:
    job = submitted(store, "a")
    for _ in range(5):
        begun(store, job)
    assert store.begin(job.ref, "a") is BeginVerdict.TOO_MANY_RUNS


def test_a_job_that_has_ended_is_not_begun(store: Store) -> None:
    job = done(store, "a")
    assert store.begin(job.ref, "a") is BeginVerdict.ALREADY_ENDED


def test_progress_never_falls(store: Store) -> None:
    job = submitted(store, "a")
    begun(store, job)
    store.report(job.ref, 0.6, "cropping", None)
    store.report(job.ref, 0.3, "decoding", None)
    assert (loaded(store, "a").progress, loaded(store, "a").stage) == (0.6, "cropping")


def test_progress_sets_the_queues_field_only_if_its_hash_exists(store: Store, client) -> None:
    job = submitted(store, "a")
    begun(store, job)
    store.report(job.ref, 0.6, "cropping", ("rq:job:a", "meta", "{}"))
    assert not client.exists("rq:job:a")
    client.hset("rq:job:a", "status", "started")
    store.report(job.ref, 0.7, "cropping", ("rq:job:a", "meta", "{}"))
    assert client.hget("rq:job:a", "meta") == b"{}"


def test_a_finished_job_has_its_bytes_and_lifetimes(store: Store, client) -> None:
    job = done(store, "a")
    assert (job.state, job.progress, job.stage) == ("done", 1.0, "done")
    assert store.result(job, 0) == b"crop"
    assert 55 < client.ttl("cropsvc:job:ann:a") <= 60
    assert 25 < client.ttl("cropsvc:source:ann:a") <= 30
    assert client.zrange("cropsvc:retained", 0, -1) == [b"cropsvc:source:ann:a"]
    assert job.expires == (job.ended or 0) + 60_000


def test_a_job_ends_once(store: Store) -> None:
    job = submitted(store, "a")
    claimed = begun(store, job)
    assert store.finish(claimed, FAILED)
    assert not store.finish(claimed, DONE)
    assert loaded(store, "a").state == "failed"


def test_failing_from_outside_keeps_the_error(store: Store) -> None:
    job = submitted(store, "a")
    assert store.fail(job.ref, Problem("timed-out", "too long"))
    assert loaded(store, "a").error == Problem("timed-out", "too long")
    assert not store.fail(job.ref, Problem("timed-out", "too long"))
    assert store.waiting() == 0


def test_failing_the_borrower_of_an_upload_lets_that_upload_go(store: Store, client) -> None:
    done(store, "a")
    job = adopted(store, "b", "a")
    assert client.ttl("cropsvc:source:ann:a") == -1
    assert store.fail(job.ref, Problem("crop-failed", ""))
    assert 25 < client.ttl("cropsvc:source:ann:a") <= 30


def test_removing_a_waiting_job_cancels_it(store: Store) -> None:
    job = submitted(store, "a")
    assert store.remove(job) == "canceled"
    assert (store.waiting(), store.is_stopped(job.ref)) == (0, True)


def test_removing_an_ended_job_deletes_record_bytes_and_upload(store: Store, client) -> None:
    job = done(store, "a")
    assert store.remove(job) == "deleted"
    assert store.load(job.ref) is DELETED
    assert (store.result(job, 0), store.source(job)) == (None, None)
    assert client.zcard("cropsvc:retained") == 0
    assert store.remove(job) == "deleted"


def test_removing_an_unknown_job_reports_that_it_is_gone(store: Store) -> None:
    assert store.remove(job_of("a")) == "gone"


def test_equal_bytes_and_request_share_the_results(store: Store) -> None:
    first = done(store, "a")
    second = job_of("b")
    slot, shared = store.submit_at_once(second, b"image", None, 10, OWNERS)
    assert shared
    assert slot.waiting == 0
    job = loaded(store, "b")
    assert (job.state, job.cached, job.results_from) == ("done", True, "a")
    store.remove(first)
    assert store.result(job, 0) == b"crop"
    store.remove(job)
    assert store.result(job, 0) is None


def test_a_shared_result_whose_upload_is_gone_keeps_the_new_upload(store: Store) -> None:
    done(store, "a")
    assert store.shed_sources(10) == 1
    store.submit_at_once(job_of("b"), b"image", None, 10, OWNERS)
    assert store.source(loaded(store, "b")) == b"image"


def test_sharing_under_a_claim_that_is_taken_is_reported(store: Store) -> None:
    done(store, "a")
    store.submit(job_of("c"), b"image", CLAIM, None)
    store.reserve(JobRef("ann", "b"), 10, OWNERS)
    with pytest.raises(ClaimTaken):
        store.share(job_of("b"), b"image", CLAIM)


def test_an_upload_that_is_gone_cannot_be_adopted(store: Store) -> None:
    assert not store.adopt(JobRef("ann", "b"), "a")


def test_deleting_a_job_keeps_its_upload_for_a_running_borrower(store: Store) -> None:
    first = done(store, "a")
    second = adopted(store, "b", "a")
    store.remove(first)
    assert begun(store, second).data == b"image"


def test_deleting_a_job_keeps_its_upload_for_a_finished_borrower(store: Store, client) -> None:
    first = done(store, "a")
    second = adopted(store, "b", "a")
    store.finish(begun(store, second), DONE)
    store.remove(first)
    assert store.source(loaded(store, "b")) == b"image"
    assert 25 < client.ttl("cropsvc:source:ann:a") <= 30
    store.remove(loaded(store, "b"))
    assert not client.exists("cropsvc:source:ann:a")


def test_deleting_a_job_keeps_its_upload_for_a_canceled_borrower(store: Store) -> None:
    first = done(store, "a")
    second = adopted(store, "b", "a")
    store.remove(second)
    store.remove(first)
    assert store.source(loaded(store, "b")) == b"image"


def test_deleting_a_job_keeps_its_upload_for_one_that_shares_a_borrowers_result(
    store: Store,
) -> None:
    first = done(store, "a")
    second = adopted(store, "b", "a")
    store.finish(begun(store, second), DONE)
    _, shared = store.submit_at_once(job_of("c"), b"image", None, 10, OWNERS)
    assert shared
    store.remove(loaded(store, "b"))
    store.remove(first)
    assert store.source(loaded(store, "c")) == b"image"


def test_a_withdrawn_submit_leaves_no_key(store: Store, client) -> None:
    job = job_of("a")
    store.reserve(job.ref, 10, OWNERS)
    store.submit(job, b"image", CLAIM, None)
    assert store.withdraw(job)
    assert client.keys("*") == []


def test_a_job_that_another_request_was_answered_with_is_not_withdrawn(store: Store) -> None:
    job = submitted(store, "a")
    assert store.keep(job.ref)
    assert not store.withdraw(job)
    assert loaded(store, "a").state == "queued"


def test_a_job_that_is_gone_cannot_be_kept(store: Store) -> None:
    assert not store.keep(JobRef("ann", "a"))


def test_a_failed_job_can_wait_again(store: Store, client) -> None:
    job = submitted(store, "a")
    store.finish(begun(store, job), FAILED)
    assert store.reopen(job.ref, lambda pipe: pipe.lpush("rq:queue", "a"))
    again = loaded(store, "a")
    assert (again.state, again.error, again.ended, again.position) == ("queued", None, None, 1)
    assert client.ttl("cropsvc:job:ann:a") == client.ttl("cropsvc:source:ann:a") == -1
    assert client.llen("rq:queue") == 1


@pytest.mark.parametrize("with_upload", [True, False])
def test_a_job_that_cannot_be_reopened_is_left_alone(store: Store, with_upload: bool) -> None:
    job = submitted(store, "a")
    store.finish(begun(store, job), DONE if with_upload else FAILED)
    if not with_upload:
        store.shed_sources(1)
    assert not store.reopen(job.ref, lambda pipe: pytest.fail("nothing may be queued"))


def test_a_flushed_script_cache_costs_no_job(store: Store, client) -> None:
    client.script_flush()
    assert done(store, "a").state == "done"
