"""Bytes in an object store: Redis holds pointers, and objects live as long as they do."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from cropsvc.model.job import Job, JobRef, Output
from cropsvc.store import JobResult, Store, StoreUnavailable
from cropsvc.store.keys import OBJECTS, OBJECTS_TURN, record_key, source_key
from tests.store.conftest import OWNERS, begun, files, job_of, look, submitted

DATA = b"an image" * 1000
RESULT = b"a crop" * 1000


def done(store: Store, job_id: str, data: bytes = DATA, owner: str = "ann") -> Job:
    """A job that is done."""
    job = submitted(store, job_id, data, owner)
    output = Output("0", "done", format="png", sha256=hashlib.sha256(RESULT).hexdigest())
    assert store.finish(begun(store, job), JobResult("done", (output,), (RESULT,)))
    found = store.load(job.ref)
    assert isinstance(found, Job)
    return found


def test_upload_and_result_are_objects_and_redis_holds_less_than_5_kb(
    kept: Store, client: "redis.Redis", directory: Path
) -> None:
    job = done(kept, "a")
    assert files(directory) == [RESULT, DATA]
    assert (kept.source(job), kept.result(job, 0)) == (DATA, RESULT)
    assert kept.load_with_bytes(job.ref, 0)[1] == RESULT
    assert sum(client.memory_usage(key) or 0 for key in client.keys("*:ann:a")) < 5000


def test_names_begin_with_the_owner_and_do_not_tell_the_job(kept: Store, directory: Path) -> None:
    job = submitted(kept, "secretjob", DATA, "bob")
    assert isinstance(kept.load(job.ref), Job)
    [path] = [path for path in directory.rglob("*") if path.is_file()]
    assert path.parent == directory / "bob"
    assert "secretjob" not in path.name


def test_a_sweep_keeps_what_is_pointed_to(
    kept: Store, client: "redis.Redis", directory: Path
) -> None:
    job, waiting = done(kept, "a"), submitted(kept, "b", b"waits")
    look(client)
    assert kept.sweep_objects() == 0
    assert files(directory) == [RESULT, DATA, b"waits"]
    assert kept.result(job, 0) == RESULT
    assert begun(kept, waiting).data == b"waits"
    assert client.zcount(OBJECTS, 0, kept.now()) == 0


def test_a_sweep_deletes_what_expired(kept: Store, client: "redis.Redis", directory: Path) -> None:
    job = done(kept, "a")
    look(client)
    kept.sweep_objects()
    scores = [score for _, score in client.zrange(OBJECTS, 0, -1, withscores=True)]
    assert [round((score - kept.now()) / 1000) for score in scores] == [31, 61]
    client.delete(source_key("ann", "a"))
    look(client)
    assert kept.sweep_objects() == 1
    assert files(directory) == [RESULT]
    assert kept.source(job) is None


def test_an_object_without_a_submit_is_swept(
    kept: Store, client: "redis.Redis", directory: Path
) -> None:
    kept._put_away(JobRef("ann", "a"), "source", DATA)  # and then the front end died
    assert kept.sweep_objects() == 0
    assert files(directory) == [DATA]
    look(client)
    assert kept.sweep_objects() == 1
    assert files(directory) == []
    assert client.zcard(OBJECTS) == 0


def test_a_file_that_was_half_written_when_its_process_died_is_swept(
    kept: Store, client: "redis.Redis", directory: Path
) -> None:
    kept._put_away(JobRef("ann", "a"), "source", DATA)
    [whole] = [path for path in directory.rglob("*") if path.is_file()]
    whole.rename(f"{whole}#1")  # obstore writes there, and renames it at the end
    look(client)
    assert kept.sweep_objects() == 1
    assert files(directory) == []


def test_a_deleted_job_leaves_nothing(kept: Store, client: "redis.Redis", directory: Path) -> None:
    assert kept.remove(done(kept, "a")) == "deleted"
    assert kept.sweep_objects() == 2
    assert files(directory) == []
    assert client.zcard(OBJECTS) == 0


def test_a_shared_result_stays_until_the_last_sharer_is_deleted(
    kept: Store, client: "redis.Redis", directory: Path
) -> None:
    first = done(kept, "a")
    second = replace(job_of("b", DATA), request=first.request)
    kept.reserve(second.ref, 100, OWNERS)
    assert kept.share(second, DATA, None)
    shared = kept.load(second.ref)
    assert isinstance(shared, Job)
    assert kept.remove(first) == "deleted"
    assert kept.sweep_objects() == 0
    assert (kept.result(shared, 0), kept.source(shared)) == (RESULT, DATA)
    assert kept.remove(shared) == "deleted"
    client.delete(OBJECTS_TURN)
    assert kept.sweep_objects() == 2
    assert files(directory) == []


def test_one_owner_cannot_see_or_sweep_another_ones(kept: Store, directory: Path) -> None:
    job = done(kept, "a")
    assert kept.result(replace(job, ref=JobRef("bob", "a")), 0) is None
    assert kept.remove(done(kept, "a", b"of bob", "bob")) == "deleted"
    assert kept.sweep_objects() == 2
    assert files(directory) == [RESULT, DATA]


def test_a_missing_object_is_like_an_expired_one(kept: Store, directory: Path) -> None:
    job = done(kept, "a")
    for path in (directory / "ann").iterdir():
        path.unlink()
    assert (kept.source(job), kept.result(job, 0)) == (None, None)
    assert kept.remove(job) == "deleted"
    assert kept.sweep_objects() == 2


def test_a_store_that_is_away_refuses_and_loses_nothing(
    kept: Store, client: "redis.Redis", directory: Path
) -> None:
    waiting, running = submitted(kept, "a", DATA), begun(kept, submitted(kept, "b", b"runs"))
    away = directory.rename(directory.with_name("away"))
    directory.write_text("no directory")
    with pytest.raises(StoreUnavailable):
        submitted(kept, "c")
    assert kept.waiting() == 1, "the refused job kept its slot"
    for _ in range(7):  # more often than workers may die
        with pytest.raises(StoreUnavailable):
            kept.begin(waiting.ref, "a")
    with pytest.raises(StoreUnavailable):
        kept.finish(running, JobResult("done", (Output("0", "done", format="png"),), (RESULT,)))
    with pytest.raises(StoreUnavailable):
        kept.check_objects()
    look(client)
    with pytest.raises(StoreUnavailable):
        kept.sweep_objects()
    directory.unlink()
    away.rename(directory)
    kept.check_objects()
    assert begun(kept, waiting).data == DATA
    assert client.hget(record_key(waiting.ref), "runs") == b"1"
    assert kept.finish(running, JobResult("done", (Output("0", "done", format="png"),), (RESULT,)))


def test_bytes_of_a_time_before_the_object_store_are_still_served(
    store: Store, kept: Store, client: "redis.Redis"
) -> None:
    before, after = done(store, "a"), done(kept, "b", b"other")
    assert (kept.result(before, 0), kept.source(before)) == (RESULT, DATA)
    assert (store.result(after, 0), store.source(after)) == (None, None)
