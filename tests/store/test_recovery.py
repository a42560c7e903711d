"""Lost jobs, heartbeats, counters, the pace, and the secrets that are kept with the data."""

import pytest
import redis

from cropsvc.model.job import JobRef
from cropsvc.model.limits import Lifetimes
from cropsvc.store import Store
from tests.store.conftest import begun, submitted
from tests.store.test_jobs import DONE, done


def test_one_worker_at_a_time_searches_for_lost_jobs(store: Store) -> None:
    assert store.may_look_for_orphans()
    assert not store.may_look_for_orphans()


def test_active_jobs_are_those_that_wait_or_run(store: Store) -> None:
    begun(store, submitted(store, "a"))
    submitted(store, "b")
    done(store, "c", b"other")
    store.reserve(JobRef("ann", "d"), 10, ["ann"])
    refs, [seen] = store.active_jobs(lambda pipe: pipe.llen("rq:queue"))
    assert {ref.id for ref in refs} == {"a", "b"}
    assert seen == 0


def test_a_job_counts_as_lost_after_five_seconds_only(store: Store, client) -> None:
    ref = JobRef("ann", "a")
    assert store.lasting_orphans([ref]) == []
    assert store.lasting_orphans([ref]) == []
    client.zincrby("cropsvc:orphans", -5_000, "ann/a")
    assert store.lasting_orphans([ref]) == [ref]
    assert store.lasting_orphans([]) == []
    assert store.lasting_orphans([ref]) == []


def test_requeueing_runs_the_queues_commands(store: Store, client) -> None:
    job = submitted(store, "a")
    queued = store.requeue(job.ref, lambda ref, home: lambda pipe: pipe.lpush("q", ref.id + home))
    assert queued == "a"
    assert client.lrange("q", 0, -1) == [b"aa"]


def test_requeueing_a_job_that_has_ended_drops_it(store: Store, client) -> None:
    job = done(store, "a")
    client.zadd("cropsvc:pending", {"ann/a": 1})
    assert store.requeue(job.ref, lambda ref, home: pytest.fail("it has ended")) is None
    assert store.waiting() == 0


def test_a_requeued_job_counts_as_waiting_from_then_on(store: Store) -> None:
    job = submitted(store, "a")
    store.requeue(job.ref, lambda ref, home: None, since=5_000)
    assert store.unfinished().waiting == {job.ref: 5_000}


def test_a_heartbeat_refreshes_a_running_job_only(store: Store, client) -> None:
    job = submitted(store, "a")
    store.sign_of_life(job.ref)
    assert store.unfinished().running == {}
    begun(store, job)
    client.zadd("cropsvc:running", {"ann/a": 1})
    store.sign_of_life(job.ref)
    assert store.unfinished().running[job.ref] > 1


def test_a_silent_worker_does_not_count_as_live(store: Store, client) -> None:
    store.beat("host:1")
    store.beat("other:2")
    assert (store.live_workers(), store.live_workers("host")) == (2, 1)
    client.zincrby("cropsvc:workers", -11_000, "host:1")
    assert store.live_workers() == 1
    store.leave("other:2")
    assert store.live_workers() == 0


def test_ends_waits_and_runs_are_counted(store: Store) -> None:
    done(store, "a")
    counts = store.counts()
    assert counts["jobs:done:"] == 1
    waits = [name for name in counts if name.startswith("wait:") and name != "wait:sum"]
    runs = [name for name in counts if name.startswith("run:") and name != "run:sum"]
    assert (len(waits), len(runs)) == (1, 1)


def test_the_pace_is_what_was_done_while_there_were_jobs(store: Store) -> None:
    assert store.pace() == 0.0
    job = submitted(store, "a")
    store.finish(begun(store, job), DONE)
    assert store.pace() > 0


def test_the_made_secret_is_kept(client: "redis.Redis") -> None:
    one, two = (Store(client, Lifetimes(1, 1)) for _ in range(2))
    assert one.secrets() == two.secrets()
    assert len(one.secrets()) == 1


def test_a_flushed_secret_is_written_again_with_the_next_counts(client: "redis.Redis") -> None:
    one = Store(client, Lifetimes(1, 1))
    before = one.secrets()
    client.flushall()
    one.count({"requests:x:200": 1})
    assert Store(client, Lifetimes(1, 1)).secrets() == before


def test_processes_with_different_secrets_agree_again(client: "redis.Redis") -> None:
    old = Store(client, Lifetimes(1, 1))
    before = old.secrets()
    client.flushall()
    new = Store(client, Lifetimes(1, 1))
    assert new.secrets() != before  # it began before the old process wrote its own again
    old.count({"x": 1})
    new.count({"x": 1})
    assert old.secrets() == new.secrets()
    assert set(before) < set(old.secrets())
    assert len(old.secrets()) == 2


def test_secrets_of_the_setting_are_not_stored(client: "redis.Redis") -> None:
    store = Store(client, Lifetimes(1, 1), ["new", "old"])
    assert len(store.secrets()) == 2
    store.count({"x": 1})
    assert not client.exists("cropsvc:secret")
