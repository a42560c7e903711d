"""Jobs and workers that somebody who can write to Redis pushed by hand."""

import json
import os
import pickle
import zlib
from base64 import b64encode
from pathlib import Path

from redis import Redis

PAYLOAD = "<img src=x onerror=\"document.title='owned';window.owned=1\">"
QUEUE_KEY = "rq:queue:cropsvc"
NOW = "2026-11-22T12:00:00.000000Z"


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self._mark}",)


def fields(**changed: object) -> dict[str, object]:
    """The hash of a job like ours, with some fields changed."""
    call = ["cropsvc.crop", None, ["-", "raw", "raw"], {}]
    return {
        "data": zlib.compress(json.dumps(call).encode()),
        "created_at": NOW,
        "enqueued_at": NOW,
        "origin": "cropsvc",
        "description": "crop",
        "status": "queued",
        "timeout": 90,
        "meta": "{}",
        **changed,
    }


def pushed(mark: Path) -> dict[str, dict[str, object]]:
    """Jobs by their id, each hostile in its own way."""
    bomb = pickle.dumps(Bomb(mark))
    named = ["<script>owned=1</script>" + PAYLOAD, None, [PAYLOAD], {PAYLOAD: PAYLOAD}]
    return {
        "markup": fields(
            description=PAYLOAD, meta=json.dumps({PAYLOAD: PAYLOAD}), worker_name=PAYLOAD
        ),
        "function": fields(data=zlib.compress(json.dumps(named).encode())),
        "pickled-meta": fields(meta=bomb),
        "pickled-data": fields(data=zlib.compress(bomb)),
        "pickled-plain": fields(data=bomb, result=bomb),
        "callback": fields(
            success_callback_name="os.system", failure_callback_name="os.system", webhooks=bomb
        ),
        "bytes": fields(meta=b"\xff\xfe\x00" * 10),
        "deep": fields(meta="[" * 100_000),
        "no-status": {key: value for key, value in fields().items() if key != "status"},
        "bad-status": fields(status=PAYLOAD),
        "bad-date": fields(created_at=PAYLOAD),
        "bad-number": fields(timeout=PAYLOAD, result_ttl=PAYLOAD),
        "bad-text": fields(description=b"\xff\xfe", origin=b"cropsvc"),
        "no-data": {"status": "queued"},
        "list-call": fields(data=zlib.compress(b'["cropsvc.crop", null, 5, {}]')),
        "odd-call": fields(data=zlib.compress(b'[5, 6, "a", 7]')),
        "short-call": fields(data=zlib.compress(b"[1]")),
        "elsewhere": fields(origin="../x"),
        "dependent": fields(dependency_ids='["markup"]', dependency_id="markup"),
        "<img src=x onerror=owned=1>": fields(),
        "with space": fields(),
    }


def push(client: Redis, mark: Path) -> list[str]:
    """Puts them all on the queue; their ids."""
    jobs = pushed(mark)
    for job_id, mapping in jobs.items():
        client.hset(f"rq:job:{job_id}", mapping=mapping)  # type: ignore[arg-type]
    client.set("rq:job:a-string", "x")
    client.sadd("rq:job:dependent:dependencies", "rq:job:markup")
    ids = [*jobs, "a-string"]
    client.rpush(QUEUE_KEY, *ids, b"\xff\xfe", "vanished")
    client.sadd("rq:queues", QUEUE_KEY, b"rq:queue:\xff", "nonsense", f"rq:queue:{PAYLOAD}")
    return ids


def push_failed(client: Redis, mark: Path) -> list[str]:
    """Failed jobs whose exceptions and results are hostile; their ids."""
    bomb = b64encode(pickle.dumps(Bomb(mark)))
    failure = b64encode(zlib.compress(PAYLOAD.encode()))
    results = {
        "failed-markup": {"type": 2, "exc_string": failure, "worker_name": PAYLOAD},
        "failed-garbage": {"type": 2, "exc_string": "!!!"},
        "failed-type": {"type": PAYLOAD},
        "returned-pickle": {"type": 1, "return_value": bomb},
    }
    for job_id, result in results.items():
        status = "finished" if job_id.startswith("returned") else "failed"
        client.hset(f"rq:job:{job_id}", mapping=fields(status=status))  # type: ignore[arg-type]
        client.xadd(f"rq:results:{job_id}", result)  # type: ignore[arg-type]
        client.zadd(f"rq:{status}:cropsvc", {job_id: 4_000_000_000})
    return list(results)


def push_workers(client: Redis) -> list[str]:
    """Workers that never were; the names of those that can be shown."""
    good = {"queues": PAYLOAD, "state": PAYLOAD, "version": PAYLOAD, "python_version": PAYLOAD}
    workers: dict[str, dict[str, object]] = {
        PAYLOAD: {**good, "birth": NOW, "last_heartbeat": NOW},
        "bad-date": {"birth": PAYLOAD},
        "bad-pid": {"pid": PAYLOAD},
        "busy": {"queues": "cropsvc", "state": "busy"},
    }
    for name, mapping in workers.items():
        client.hset(f"rq:worker:{name}", mapping=mapping)  # type: ignore[arg-type]
        client.sadd("rq:workers", f"rq:worker:{name}")
    client.sadd("rq:workers", "nonsense")
    client.sadd("rq:worker:busy:executions", "markup:some-execution")
    return [PAYLOAD, "busy"]
