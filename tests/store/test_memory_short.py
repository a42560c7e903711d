"""What must work while the server uses more than its `maxmemory`: everything that gives it back.

Above the limit Redis rejects each command that needs memory, and every command inside a MULTI, DEL
too. It lets a script through whose first write frees memory, whatever that script writes then.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from cropsvc.jobs.admission import MemoryGuard
from cropsvc.model.job import Job, JobRef, Problem
from cropsvc.model.limits import Lifetimes
from cropsvc.store import ClaimedJob, Store, StoreFull, connection
from tests import components
from tests.store.conftest import begun, job_of, started, submitted
from tests.store.test_jobs import CLAIM, DONE, FAILED, adopted, done, loaded

LEVELS = (80, 101, 200)  # per cent of maxmemory that are in use
MIB = 1024**2


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's Redis, 7.0 on Debian 12."""
    components.require("redis-server")
    program = shutil.which("redis-server") or ""
    directory: Path = tmp_path_factory.mktemp("redis")
    process, url = started(program, directory)
    yield url
    process.terminate()
    process.wait(15)


@pytest.fixture(params=["valkey", "redis"])
def client(request: pytest.FixtureRequest) -> Iterator["redis.Redis"]:
    """A client of an empty database without a limit, on both servers."""
    url = request.getfixturevalue(f"{request.param}_url")
    client = connection.for_worker(url)
    client.config_set("maxmemory", 0)
    client.flushall()
    yield client
    client.config_set("maxmemory", 0)
    client.close()


Shorten = Callable[[], None]


@pytest.fixture(params=LEVELS)
def shorten(request: pytest.FixtureRequest, client: "redis.Redis") -> Shorten:
    """Sets `maxmemory` so that the used memory is that many per cent of it."""

    def set_limit() -> None:
        used = client.info("memory")["used_memory"]
        client.config_set("maxmemory", used * 100 // request.param)
        if request.param > 100:
            with pytest.raises(redis.exceptions.OutOfMemoryError):
                client.set("any", "thing")

    return set_limit


def retained(store: Store, count: int, size: int = MIB) -> None:
    """So many uploads that are only kept for cropping again."""
    for number in range(count):
        done(store, f"kept{number}", number.to_bytes() * size)


def test_retained_uploads_make_room_for_a_submit(store: Store, shorten: Shorten) -> None:
    retained(store, 14)
    shorten()
    assert MemoryGuard(store).has_room(100)
    submitted(store, "a", b"x" * 100)
    assert loaded(store, "a").state == "queued"


def test_shedding_deletes_the_oldest_uploads(
    store: Store, client: "redis.Redis", shorten: Shorten
) -> None:
    retained(store, 5)
    shorten()
    assert store.shed_sources(3) == 3
    left = client.zrange("cropsvc:retained", 0, -1)
    assert left == [b"cropsvc:source:ann:kept3", b"cropsvc:source:ann:kept4"]
    assert client.exists(*left) == 2


def test_a_job_begins_and_ends(store: Store, shorten: Shorten) -> None:
    job = submitted(store, "a", b"x" * MIB)
    shorten()
    assert store.finish(begun(store, job), DONE)
    assert store.result(loaded(store, "a"), 0) == b"crop"
    assert store.shed_sources(1) == 1


def test_a_running_job_fails(store: Store, shorten: Shorten) -> None:
    claimed = begun(store, submitted(store, "a"))
    shorten()
    assert store.finish(claimed, FAILED)


def test_a_job_is_failed_from_outside(store: Store, shorten: Shorten) -> None:
    job = submitted(store, "a")
    shorten()
    assert store.fail(job.ref, Problem("crop-failed", "its workers died"))


def test_a_waiting_and_a_running_job_are_canceled(store: Store, shorten: Shorten) -> None:
    waiting, running = submitted(store, "a"), submitted(store, "b")
    begun(store, running)
    shorten()
    assert [store.remove(job) for job in (waiting, running)] == ["canceled", "canceled"]


def test_an_ended_job_is_deleted(store: Store, shorten: Shorten) -> None:
    job = done(store, "a")
    shorten()
    assert store.remove(job) == "deleted"


def test_a_slot_is_reserved_and_released(store: Store, shorten: Shorten) -> None:
    shorten()
    store.reserve(JobRef("ann", "a"), 1, ["ann"])
    store.release(JobRef("ann", "a"))
    assert store.reserve(JobRef("ann", "b"), 1, ["ann"]).waiting == 0


def test_a_submit_is_withdrawn(store: Store, client: "redis.Redis", shorten: Shorten) -> None:
    job = job_of("a")
    store.submit(job, b"image", CLAIM, None)
    shorten()
    assert store.withdraw(job)
    assert client.keys("cropsvc:*") == []


def test_an_idempotent_repeat_is_noted(store: Store, shorten: Shorten) -> None:
    job = submitted(store, "a")
    shorten()
    assert store.keep(job.ref)


def test_an_upload_is_adopted(store: Store, shorten: Shorten) -> None:
    done(store, "a")
    shorten()
    assert store.adopt(JobRef("ann", "b"), "a")


def test_a_borrowers_end_and_the_deletion_of_both(
    store: Store, client: "redis.Redis", shorten: Shorten
) -> None:
    first = done(store, "a")
    second = adopted(store, "b", "a")
    shorten()
    claimed = store.begin(second.ref, "a")
    assert isinstance(claimed, ClaimedJob)
    assert store.finish(claimed, DONE)
    store.remove(first)
    store.remove(loaded(store, "b"))
    assert not client.exists("cropsvc:source:ann:a")


def test_a_front_end_that_starts_reads_the_kept_secret(
    store: Store, client: "redis.Redis", shorten: Shorten
) -> None:
    kept = store.secrets()
    shorten()
    assert Store(client, Lifetimes(1, 1)).secrets() == kept


@pytest.mark.parametrize("shorten", [101, 200], indirect=True)
def test_what_needs_memory_is_refused_as_full(store: Store, shorten: Shorten) -> None:
    shorten()
    with pytest.raises(StoreFull):
        store.check_writable()
    with pytest.raises(StoreFull):
        store.submit(job_of("a"), b"image", None, None)
    assert not isinstance(store.load(JobRef("ann", "a")), Job)


def test_uploads_and_results_expire(store: Store, client: "redis.Redis", shorten: Shorten) -> None:
    job = submitted(store, "a")
    shorten()
    store.finish(begun(store, job), DONE)
    assert client.ttl("cropsvc:source:ann:a") > 0
    assert client.ttl("cropsvc:results:ann:a") > 0
    assert client.ttl("cropsvc:job:ann:a") > 0
