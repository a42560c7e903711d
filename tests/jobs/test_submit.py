"""Submitting on a real store, with a queue that only notes what it is given."""

import pytest

from cropsvc.imaging.params.parser import parse
from cropsvc.jobs.events import JobEvents
from cropsvc.jobs.service import Jobs, Policy, Submission
from cropsvc.model.errors import Busy, Expired, IdempotencyMismatch, NotFound, Unavailable
from cropsvc.model.job import Job, JobRef
from cropsvc.model.limits import Limits
from cropsvc.store import DeferredSlot, NoSlotNeeded, ReservedSlot, Store, received
from tests import pictures
from tests.store.conftest import begun
from tests.store.test_jobs import DONE

CAP = 3
LIMITS = Limits(10**6, 10, 10, 10**4)
WHOLE = parse([])


class FakeQueue:
    """Notes the jobs; can refuse to confirm."""

    name = "fake"

    def __init__(self) -> None:
        self.published: list[str] = []
        self.forgotten: list[str] = []
        self.confirms = True

    def commands(self, ref: JobRef, upload_from: str):
        return lambda pipe: pipe.lpush("fake:queue", ref.id)

    def publish(self, ref: JobRef, upload_from: str) -> None:
        if not self.confirms:
            raise Unavailable("no confirm", retry_after=2)
        self.published.append(ref.id)

    def forget(self, ref: JobRef) -> bool:
        self.forgotten.append(ref.id)
        return True

    def workers(self) -> int:
        return 2


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()


@pytest.fixture
def jobs(store: Store, queue: FakeQueue) -> Jobs:
    return Jobs(store, queue, JobEvents(store.changes, store.load), Policy(CAP, ("ann",), LIMITS))


def submit(jobs: Jobs, number: int, *, key: str | None = None, later: bool = False) -> Job:
    slot = jobs.admit("ann", key=key, later=later)
    upload = jobs.upload(slot, received(pictures.unlike(number)), WHOLE)
    return jobs.submit(slot, Submission(upload, WHOLE, key))


def finish(store: Store, job: Job) -> None:
    store.finish(begun(store, job), DONE)


@pytest.mark.parametrize("later", [True, False])
def test_a_job_waits_on_the_queue(jobs: Jobs, queue: FakeQueue, client, later: bool) -> None:
    assert type(jobs.admit("ann", later=later)) is (DeferredSlot if later else ReservedSlot)
    client.flushall()
    job = submit(jobs, 1, later=later)
    assert jobs.get("ann", job.id).state == "queued"
    assert client.lrange("fake:queue", 0, -1) == [job.id.encode()]
    assert queue.published == [job.id]


@pytest.mark.parametrize("later", [True, False])
def test_a_full_queue_refuses(jobs: Jobs, later: bool) -> None:
    for number in range(CAP):
        submit(jobs, number, later=later)
    with pytest.raises(Busy, match=r"the queue is full: 3 jobs are waiting \(limit 3\)"):
        submit(jobs, 99, later=later)


def test_a_repeat_gets_the_same_job_even_when_the_queue_is_full(jobs: Jobs) -> None:
    first = submit(jobs, 1, key="k")
    for number in range(2, 1 + CAP):
        submit(jobs, number)
    assert isinstance(jobs.admit("ann", key="k"), NoSlotNeeded)
    assert submit(jobs, 1, key="k").id == first.id
    with pytest.raises(IdempotencyMismatch):
        submit(jobs, 2, key="k")


def test_another_webhook_is_another_request(jobs: Jobs) -> None:
    hooks = [None, "https://one.test/", "https://two.test/"]
    for number, hook in enumerate(hooks):
        slot = jobs.admit("ann", key=f"k{number}")
        upload = jobs.upload(slot, received(pictures.unlike(60)), WHOLE)
        job = jobs.submit(slot, Submission(upload, WHOLE, f"k{number}", webhook=hook))
        for other in hooks:
            repeat = Submission(upload, WHOLE, f"k{number}", webhook=other)
            if other == hook:
                assert jobs.submit(slot, repeat).id == job.id
            else:
                with pytest.raises(IdempotencyMismatch):
                    jobs.submit(slot, repeat)


def test_a_claim_that_expires_before_the_submit_does_not_pass_the_cap(jobs: Jobs, client) -> None:
    submit(jobs, 1, key="k")
    slot = jobs.admit("ann", key="k")
    upload = jobs.upload(slot, received(pictures.unlike(50)), WHOLE)
    client.delete(*client.keys("cropsvc:once:*"))  # as if its time had come
    for number in range(2, 1 + CAP):
        submit(jobs, number)
    with pytest.raises(Busy):
        jobs.submit(slot, Submission(upload, WHOLE, "k"))
    assert jobs.waiting() == CAP


def test_a_claim_that_expires_before_the_submit_gets_a_slot_if_there_is_one(
    jobs: Jobs, client
) -> None:
    submit(jobs, 1, key="k")
    slot = jobs.admit("ann", key="k")
    upload = jobs.upload(slot, received(pictures.unlike(50)), WHOLE)
    client.delete(*client.keys("cropsvc:once:*"))
    job = jobs.submit(slot, Submission(upload, WHOLE, "k"))
    assert jobs.get("ann", job.id).position == 2


def test_the_same_bytes_again_are_done_at_once(jobs: Jobs, store: Store) -> None:
    first = submit(jobs, 1)
    finish(store, first)
    for later in (True, False):
        again = submit(jobs, 1, later=later)
        assert (again.state, again.cached, again.results_from) == ("done", True, first.id)


def test_a_submit_that_the_queue_does_not_confirm_leaves_no_key(
    jobs: Jobs, queue: FakeQueue, client
) -> None:
    queue.confirms = False
    with pytest.raises(Unavailable):
        submit(jobs, 1, key="k")
    assert [key for key in client.keys("cropsvc:*") if key != b"cropsvc:secret"] == []


def test_an_unconfirmed_job_that_a_worker_has_is_accepted(
    jobs: Jobs, queue: FakeQueue, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.confirms = False
    withdraw = store.withdraw

    def late(job: Job) -> bool:
        begun(store, job)
        return withdraw(job)

    monkeypatch.setattr(store, "withdraw", late)
    assert jobs.get("ann", submit(jobs, 1).id).state == "running"


def test_an_earlier_upload_is_cropped_again(jobs: Jobs, store: Store) -> None:
    first = submit(jobs, 1)
    finish(store, first)
    slot = jobs.admit("ann")
    upload = jobs.earlier_upload("ann", first.id, parse([("rotate", "90")]))
    second = jobs.submit(slot, Submission(upload, parse([("rotate", "90")])))
    assert second.upload_from == first.id
    assert begun(store, second).data == pictures.unlike(1)


def test_deleting_a_job_keeps_the_upload_of_a_finished_job_that_shows_it(
    jobs: Jobs, store: Store
) -> None:
    first = submit(jobs, 1)
    finish(store, first)
    turned = parse([("rotate", "90")])
    upload = jobs.earlier_upload("ann", first.id, turned)
    second = jobs.submit(jobs.admit("ann"), Submission(upload, turned))
    finish(store, second)
    jobs.delete("ann", first.id)
    assert jobs.source("ann", second.id)[1] == pictures.unlike(1)
    jobs.delete("ann", second.id)
    assert store.source(second) is None


def test_an_upload_that_is_gone_is_refused(jobs: Jobs, store: Store) -> None:
    first = submit(jobs, 1)
    finish(store, first)
    store.shed_sources(1)
    with pytest.raises(Expired):
        jobs.earlier_upload("ann", first.id, WHOLE)
    with pytest.raises(NotFound):
        jobs.earlier_upload("bob", first.id, WHOLE)


def test_a_canceled_job_leaves_the_queue(jobs: Jobs, queue: FakeQueue) -> None:
    job = submit(jobs, 1)
    jobs.delete("ann", job.id)
    assert queue.forgotten == [job.id]
    assert jobs.get("ann", job.id).state == "canceled"


def test_a_flushed_store_knows_its_old_ids_as_expired(jobs: Jobs, store: Store, client) -> None:
    job = submit(jobs, 1)
    client.flushall()
    with pytest.raises(Expired):
        jobs.get("ann", job.id)
