"""Whoever can write to Redis still cannot run code: a job runs one function only."""

import json
import pickle
import zlib
from pathlib import Path

import pytest
from rq import Queue
from rq.job import Callback

from cropsvc.queues.rq.queue import CropJob, CropQueue, ForeignJob, reference_of
from tests.worker.conftest import Bench


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def push(bench: Bench, job_id: str, **fields: bytes | str) -> None:
    """Puts a raw job on the queue, as an attacker with access to Redis would."""
    queue = CropQueue(connection=bench.redis)
    base = {"origin": queue.name, "status": "queued", "created_at": "2026-01-01T00:00:00Z"}
    bench.redis.hset(f"rq:job:{job_id}", mapping={**base, **fields})
    bench.redis.rpush(queue.key, job_id)


def data(function: str, *arguments: object) -> bytes:
    return zlib.compress(json.dumps([function, None, arguments, {}]).encode())


@pytest.mark.parametrize("kind", ["function", "builtin", "callback", "pickle", "meta", "webhook"])
def test_a_job_pushed_raw_executes_nothing(bench: Bench, tmp_path: Path, kind: str) -> None:
    mark = tmp_path / "executed"
    command = f"touch {mark}"
    bomb = pickle.dumps(Bomb(mark))
    raw = {
        "function": {"data": data("os.system", command)},
        "builtin": {"data": data("eval", f"open({str(mark)!r}, 'w')")},
        "callback": {
            "data": data("cropsvc.crop", "-", "nobody", "nobody"),
            "success_callback_name": "os.system",
            "failure_callback_name": "os.system",
            "stopped_callback_name": "os.system",
        },
        "pickle": {"data": zlib.compress(bomb)},
        "meta": {"data": data("os.system", command), "meta": bomb},
        "webhook": {
            "data": data("cropsvc.crop", "-", "nobody", "nobody"),
            "webhooks": json.dumps([{"url": "http://127.0.0.1:9/", "status": "finished"}]),
        },
    }[kind]
    push(bench, f"evil-{kind}", **raw)
    queue = CropQueue(connection=bench.redis)
    bench.until(lambda: bench.redis.llen(queue.key) == 0, "the worker took it")
    assert bench.ended(bench.submit())["state"] == "done"  # and goes on
    assert not mark.exists()
    if kind not in ("callback", "webhook"):
        bench.until(lambda: bench.rq_status(f"evil-{kind}") == "failed", "it was refused")


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "nonsense"},
        {"timeout": "soon"},
        {"created_at": "yesterday"},
        {"data": data("cropsvc.crop"), "retries_left": "many"},
        {"data": zlib.compress(b'["cropsvc.crop", null, 7, {}]')},
        {"data": b"no zlib"},
    ],
    ids=lambda fields: ",".join(fields),
)
def test_a_job_that_rq_cannot_read_is_dropped_and_the_worker_goes_on(
    bench: Bench, fields: dict
) -> None:
    worker = bench.crop_process().ppid()
    push(bench, "unreadable", **{"data": data("cropsvc.crop", "-", "a", "a"), **fields})
    assert bench.ended(bench.submit())["state"] == "done"
    assert bench.crop_process().ppid() == worker
    queue = CropQueue(connection=bench.redis)
    assert bench.redis.llen(queue.intermediate_queue_key) == 0
    bench.redis.delete("rq:job:unreadable")


def test_a_job_of_ours_never_resolves_a_function(bench: Bench) -> None:
    job = CropJob.create("os.system", args=("true",), connection=bench.redis, serializer="json")
    with pytest.raises(ForeignJob):
        _ = job.func
    with pytest.raises(ForeignJob):
        reference_of(job)


def test_callbacks_and_webhooks_are_dropped_when_a_job_is_read(bench: Bench) -> None:
    queue = Queue("elsewhere", connection=bench.redis, serializer="json")
    made = queue.enqueue("cropsvc.crop", "-", "a", "a", on_success=Callback("os.system"))
    job = CropJob.fetch(made.id, connection=bench.redis, serializer="json")
    assert (job.success_callback, job.failure_callback, job.stopped_callback) == (None, None, None)
    assert job.webhooks == []
    made.delete()
