"""GET /v1/crops/<id>/events: Server-Sent Events."""

import json
import time
from collections.abc import Iterable, Iterator

from tests import pictures
from tests.contract.client import Client, Json, checked, problem


def parsed(lines: Iterable[str]) -> Iterator[tuple[str, Json]]:
    """The events' names and data, as the HTML standard reads them; comments are skipped."""
    name, data = "message", []
    for line in lines:
        if line == "" and data:
            yield name, checked(json.loads("\n".join(data)))
            name, data = "message", []
        field, _, value = line.partition(":")
        if field == "event":
            name = value.strip()
        if field == "data":
            data.append(value)


def events(api: Client, job: Json) -> list[tuple[str, Json]]:
    """All events until the server closes."""
    with api.stream("GET", job["links"]["events"]) as stream:
        assert stream.status_code == 200
        assert stream.headers["Content-Type"].partition(";")[0] == "text/event-stream"
        assert "no-" in stream.headers["Cache-Control"]
        return list(parsed(stream.iter_lines()))


def test_a_job_is_followed_to_its_end(api: Client) -> None:
    job = api.accepted(pictures.large(9), format="webp", size="1500x")
    told = events(api, job)
    assert {name for name, _ in told[:-1]} <= {"progress"}
    assert told[-1][0] == "done"
    assert told[-1][1]["state"] == "done"
    progress = [state["progress"] for _, state in told]
    assert progress == sorted(progress)
    assert {state["id"] for _, state in told} == {job["id"]}


def test_a_long_crop_reports_more_than_one_step(api: Client) -> None:
    job = api.accepted(pictures.large(10), format="webp", size="1500x", outputs="[{},{},{}]")
    told = events(api, job)
    assert len({state["progress"] for _, state in told}) >= 3


def test_events_of_an_ended_job_are_one_event(api: Client) -> None:
    job = api.crop(pictures.png(95, 30))
    started = time.monotonic()
    assert events(api, job) == [("done", job)]
    assert time.monotonic() - started < 2


def test_a_failed_job_says_failed(api: Client) -> None:
    job = api.accepted(pictures.truncated(pictures.jpeg(220, 150, seed=51)))
    name, last = events(api, job)[-1]
    assert (name, last["error"]["code"]) == ("failed", "unreadable")


def test_a_canceled_job_says_canceled(api: Client) -> None:
    slow = {"format": "avif", "quality": 90, "outputs": "[{},{},{},{}]"}
    job = api.until_state(api.accepted(pictures.large(2), **slow), "running")
    with api.stream("GET", job["links"]["events"]) as stream:
        told = parsed(stream.iter_lines())
        next(told)
        assert api.delete(job["links"]["self"]).status_code == 204
        assert list(told)[-1][0] == "canceled"


def test_the_events_of_no_job_are_not_found(api: Client) -> None:
    problem(api.get("/v1/crops/never-was/events"), 404, "not-found")
