"""Messages that no Celery program sends: none ends the worker, or keeps others from theirs."""

import json
import uuid

import pytest
from kombu import Connection

from tests.celery.conftest import MakeService, Service, picture

CROP = "cropsvc.crop"
EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
LINK = {"task": "os.system", "args": ["true"], "kwargs": {}, "options": {"queue": "elsewhere"}}
PLAIN = json.dumps([["x", {}], {}, EMBED])
HEADERS = {"lang": "py", "task": CROP, "retries": 0}


def _with(**embedded: object) -> str:
    return json.dumps([["x", {}], {}, {**EMBED, **embedded}])


HEADS: dict[str, object] = {  # headers that differ; None leaves one out
    "no task": {"task": None},
    "a task that is a list": {"task": [1]},
    "no id": {"id": None},
    "an id with line breaks": {"id": "a\r\nb\x00"},
    "an id that is a number": {"id": 7},
    "a long id": {"id": "x" * 60_000},
    "packed by something unknown": {"compression": "x"},
    "not packed": {"compression": "application/x-gzip"},
    "negative retries": {"retries": -1},
    "a broken time": {"eta": "tomorrow"},
    "an expiry that is a list": {"expires": [1]},
    "a broken limit": {"timelimit": ["a", "b"]},
    "a strange group": {"group": "g" * 1000, "group_index": -5},
    "strange stamps": {"stamped_headers": 7, "stamps": "x"},
    "strange relatives": {"root_id": [1], "parent_id": {}},
    "a strange shadow": {"shadow": "a\nb", "argsrepr": 7, "origin": [1]},
}
BODIES: dict[str, str | bytes] = {
    "no JSON": "{",
    "null": "null",
    "an object": "{}",
    "deep JSON": "[" * 100_000 + "]" * 100_000,
    "numbers": "[1, 2, 3]",
    "two members": "[[], {}]",
    "no UTF-8": b"\xff\xfe",
    "callbacks": _with(callbacks=[LINK], errbacks=[LINK]),
    "callbacks that are a number": _with(callbacks=7, errbacks="x"),
    "a chain": _with(chain=[LINK]),
    "a chord": _with(chord=LINK),
}
TYPES = {
    "application/x-python-serialize": b"cos\nsystem\n(S'true'\ntR.",
    "application/x-yaml": b"a: 1",
    "application/x-msgpack": b"\xdd\xff\xff\xff\xff",
    "x/y": b"a",
}


def publish(
    service: Service, body: str | bytes, headers: dict, kind: str = "application/json"
) -> None:
    """Sends one message as it is."""
    data = body.encode() if isinstance(body, str) else body
    given = {**HEADERS, "id": str(uuid.uuid4()), **headers}
    sent = {name: value for name, value in given.items() if value is not None}
    encoding = "utf-8" if kind == "application/json" else "binary"
    with Connection(service.broker_url) as connection:
        connection.Producer().publish(
            data,
            exchange="",
            routing_key="cropsvc",
            headers=sent,
            content_type=kind,
            content_encoding=encoding,
        )


@pytest.mark.timeout(120)  # one worker for all: a start costs seconds
def test_no_message_ends_the_worker_or_keeps_others_from_theirs(make_service: MakeService) -> None:
    service = make_service()
    worker = service.crop_process().ppid()
    for headers in HEADS.values():
        publish(service, PLAIN, headers)
    for body in BODIES.values():
        publish(service, body, {})
    for kind, body in TYPES.items():
        publish(service, body, {}, kind)

    assert service.program().send_task(CROP, [picture(), {}], serializer="msgpack").get(timeout=60)
    service.until(lambda: service.queue.facts()["messages"] == 0, "all are gone")
    assert worker in {one.pid for one in service.stack.worker.tree()}
    assert service.crop_process().ppid() == worker
    assert service.queue.names() == {"cropsvc", "cropsvc.dead"}
