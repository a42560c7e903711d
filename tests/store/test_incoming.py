"""Uploads as they come: a large one goes to the object store in parts."""

import hashlib
import os
from pathlib import Path

import pytest
import redis

from cropsvc.model.errors import UnsupportedFormat
from cropsvc.model.job import JobRef, new_job, source_info
from cropsvc.store import PutAway, Received, Store, StoreUnavailable
from cropsvc.store import incoming as incoming_module
from cropsvc.store.keys import OBJECTS
from tests.store.conftest import OWNERS, begun, files, look

KIB = 1024
LARGE = os.urandom(100 * KIB)
REF = JobRef("ann", "a")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 16 KiB where one upload comes, of 4 KiB where many do."""
    for name, size in {"LEAST": 4, "MOST": 16, "ROOM": 32}.items():
        monkeypatch.setattr(incoming_module, name, size * KIB)


def come(store: Store, data: bytes = LARGE, ref: JobRef = REF) -> Received:
    """An upload that has come in pieces of 1 KiB; nobody closes it."""
    upload = store.incoming(ref, len)
    for at in range(0, len(data), KIB):
        upload.write(data[at : at + KIB])
    return upload.received()


def submit(store: Store, upload: Received, job_id: str = "a") -> None:
    """Queue a job with this upload."""
    store.reserve(JobRef("ann", job_id), 100, OWNERS)
    info = source_info(LARGE, "png", 4, 3)
    store.submit(
        new_job(JobRef("ann", job_id), store.now(), info, "{}", ["0"]), upload.data, None, None
    )


def test_a_large_upload_is_never_whole_in_memory_and_is_read_as_it_came(
    kept: Store, directory: Path
) -> None:
    upload = come(kept)
    assert [len(part) for part in files(directory)].count(16 * KIB) == 6
    assert (upload.size, upload.sha256) == (len(LARGE), hashlib.sha256(LARGE).hexdigest())
    assert isinstance(upload.data, PutAway)
    with kept.whole(upload) as data:
        assert data == LARGE
    submit(kept, upload)
    job = kept.load(REF)
    assert begun(kept, job).data == LARGE  # type: ignore[arg-type]


def test_a_small_upload_is_not_stored_before_its_submit(kept: Store, directory: Path) -> None:
    assert come(kept, b"small").data == b"small"
    assert files(directory) == []


def test_many_uploads_at_once_keep_less_in_memory_each(kept: Store, directory: Path) -> None:
    uploads = [kept.incoming(JobRef("ann", str(number)), len) for number in range(8)]
    for at in range(0, 8 * KIB, KIB):
        for upload in uploads:
            upload.write(LARGE[at : at + KIB])
    assert {len(part) // KIB for part in files(directory)} <= {4, 5}
    for upload in uploads:
        upload.close()
    assert files(directory) == []


@pytest.mark.parametrize("whole", [False, True])
def test_an_upload_that_becomes_no_job_leaves_nothing(
    kept: Store, client: "redis.Redis", directory: Path, whole: bool
) -> None:
    upload = kept.incoming(REF, len)
    upload.write(LARGE)
    if whole:
        upload.received()
    assert files(directory) != []
    upload.close()
    assert files(directory) == []
    assert client.zcard(OBJECTS) == 0


def test_the_first_bytes_refuse_an_upload_before_any_is_stored(
    kept: Store, directory: Path
) -> None:
    def refuse(head: bytes) -> None:
        raise UnsupportedFormat("no")

    upload = kept.incoming(REF, refuse)
    with pytest.raises(UnsupportedFormat):
        upload.write(LARGE)
    upload.close()
    assert files(directory) == []


def test_parts_live_and_go_with_their_pointer(
    kept: Store, client: "redis.Redis", directory: Path
) -> None:
    upload = kept.incoming(REF, len)
    upload.write(LARGE)
    upload.write(LARGE)
    submit(kept, upload.received())
    upload.close()
    look(client)
    assert kept.sweep_objects() == 0
    assert b"".join(sorted(files(directory))) == b"".join(sorted([LARGE, LARGE]))
    job = kept.load(REF)
    assert kept.remove(job) == "canceled"  # type: ignore[arg-type]
    assert kept.remove(kept.load(REF)) == "deleted"  # type: ignore[arg-type]
    look(client)
    assert kept.sweep_objects() == 2
    assert files(directory) == []


def test_parts_of_a_front_end_that_died_are_swept_after_the_longest_upload(
    kept: Store, client: "redis.Redis", directory: Path
) -> None:
    come(kept)
    due = [score for _, score in client.zrange(OBJECTS, 0, -1, withscores=True)]
    assert min(due) / 1000 - kept.now() / 1000 > 300
    look(client)
    assert kept.sweep_objects() == 7
    assert files(directory) == []


def test_an_upload_that_took_too_long_is_not_pointed_to(kept: Store) -> None:
    upload = come(kept)
    assert isinstance(upload.data, PutAway)
    late = Received(upload.size, upload.sha256, PutAway(upload.data.pointer, until=0.0))
    with pytest.raises(StoreUnavailable):
        submit(kept, late)
    assert kept.waiting() == 0


def test_a_lost_part_is_no_image(kept: Store, directory: Path) -> None:
    upload = come(kept)
    next(path for path in directory.rglob("*.3") if path.is_file()).unlink()
    with pytest.raises(StoreUnavailable), kept.whole(upload):
        pass


def test_in_redis_an_upload_stays_whole(store: Store) -> None:
    assert come(store).data == LARGE
