"""A service without a worker, with room for three jobs: what a waiting job looks like."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from tests import pictures
from tests.contract.client import Client, Json, problem
from tests.stack import Stack, until


@pytest.fixture(scope="module")
def idle(make_module_stack) -> Stack:
    return make_module_stack(worker=False, queue_cap=3)


@pytest.fixture(scope="module")
def api(idle: Stack) -> Iterator[Client]:
    with Client(idle.url) as client:
        yield client


@pytest.fixture(scope="module")
def first(api: Client) -> Json:
    return api.accepted(pictures.unlike(1), outputs='[{"name":"a"},{"name":"b"}]')


@pytest.fixture(scope="module")
def second(api: Client, first: Json) -> Json:
    assert first["position"] == 1
    return api.accepted(pictures.unlike(2))


@pytest.fixture(scope="module")
def heartbeat(api: Client, second: Json) -> Iterator[Future[float]]:
    """How long a waiting stream was silent before its first comment; read during the others."""
    url = api.base_url.join(second["links"]["events"])

    def listen() -> float:
        heard = time.monotonic()
        with httpx.stream("GET", url, timeout=25) as stream:
            for line in stream.iter_lines():
                silence, heard = time.monotonic() - heard, time.monotonic()
                if line.startswith(":"):
                    return silence
        raise AssertionError("the stream ended without a comment")

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(listen)


@pytest.mark.usefixtures("heartbeat")
def test_no_worker_is_no_reason_to_refuse(api: Client, first: Json) -> None:
    assert (first["state"], first["stage"], first["progress"]) == ("queued", "queued", 0.0)
    assert first["position"] == 1
    assert first["started_at"] is None
    assert [output["state"] for output in first["outputs"]] == ["queued", "queued"]
    assert [output["name"] for output in first["outputs"]] == ["a", "b"]


def test_readyz_names_what_is_missing(api: Client, first: Json) -> None:
    response = api.get("/readyz")
    assert response.status_code == 503
    assert "worker" in response.text.lower()
    assert response.headers["Content-Type"].split(";")[0].endswith("json")
    assert api.get("/healthz").status_code == 200


def test_the_status_of_a_waiting_job_says_when_to_come_again(api: Client, first: Json) -> None:
    response = api.get(first["links"]["self"])
    assert int(response.headers["Retry-After"]) >= 1


def test_wait_holds_that_long_and_then_answers(api: Client, first: Json) -> None:
    response = api.get(first["links"]["self"], params={"wait": 1})
    assert response.json()["state"] == "queued"
    assert 0.9 < response.elapsed.total_seconds() < 8


def test_prefer_holds_a_status_too(api: Client, first: Json) -> None:
    response = api.get(first["links"]["self"], headers={"Prefer": "wait=1"})
    assert 0.9 < response.elapsed.total_seconds() < 8
    assert response.headers["Preference-Applied"] == "wait=1"


@pytest.mark.parametrize("path", ["/image", "/image/a"])
def test_the_image_is_not_ready(api: Client, first: Json, path: str) -> None:
    response = api.get(first["links"]["self"] + path)
    problem(response, 409, "not-ready")
    assert int(response.headers["Retry-After"]) >= 1


def test_the_source_can_be_fetched_already(api: Client, first: Json) -> None:
    assert api.get(first["links"]["source"]).content == pictures.unlike(1)


def test_an_unknown_output_is_not_found_even_now(api: Client, first: Json) -> None:
    problem(api.get(first["links"]["image"] + "/c"), 404, "not-found")


def test_a_wait_for_bytes_that_ends_too_early_gets_the_job(api: Client, second: Json) -> None:
    assert second["position"] == 2
    headers = {"Accept": "image/*", "Idempotency-Key": "waiting"}
    response = api.submit(pictures.unlike(3), wait=1, headers=headers)
    job = api.accept(response)
    assert (job["state"], job["position"]) == ("queued", 3)
    assert 0.9 < response.elapsed.total_seconds() < 8


def test_a_repeat_under_a_key_is_the_same_job_even_at_the_cap(api: Client) -> None:
    job = api.accepted(pictures.unlike(3), headers={"Idempotency-Key": "waiting"})
    assert (job["state"], job["position"]) == ("queued", 3)


def test_at_its_cap_the_queue_refuses_in_time(api: Client) -> None:
    response = api.submit(pictures.unlike(4))
    body = problem(response, 429, "busy")
    assert "3" in body["detail"]
    assert int(response.headers["Retry-After"]) >= 1
    assert response.elapsed.total_seconds() < 3
    assert "queue" in api.get("/readyz").text.lower()


def test_fifty_clients_at_once_cannot_pass_the_cap(idle: Stack, api: Client) -> None:
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda n: api.submit(pictures.unlike(100 + n)), range(50)))
    assert {response.status_code for response in answers} == {429}


def test_the_events_of_a_waiting_job_begin_at_once(api: Client, first: Json) -> None:
    started = time.monotonic()
    with api.stream("GET", first["links"]["events"]) as stream:
        assert stream.headers["Content-Type"].partition(";")[0] == "text/event-stream"
        line = next(line for line in stream.iter_lines() if line.startswith("data:"))
    assert first["id"] in line
    assert time.monotonic() - started < 5


def test_a_canceled_job_wakes_its_waiters_and_makes_room(api: Client, first: Json) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: api.job(first, wait=20))
        time.sleep(0.5)  # let the waiter wait; if it comes later it finds the job canceled
        asked = time.monotonic()
        assert api.delete(first["links"]["self"]).status_code == 204
        assert waiting.result(10)["state"] == "canceled"
        assert time.monotonic() - asked < 5  # not the 20 of its wait
    job = api.job(first)
    assert (job["state"], job["progress"]) == ("canceled", 0.0)
    assert [output["state"] for output in job["outputs"]] == ["canceled", "canceled"]
    problem(api.get(first["links"]["image"]), 410, "canceled")


def test_a_wait_for_the_bytes_of_a_canceled_job_gets_410(api: Client) -> None:
    headers = {"Idempotency-Key": "waiting"}
    job = api.accepted(pictures.unlike(3), headers=headers)
    assert job["position"] == 2
    asked = {**headers, "Accept": "image/*"}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: api.submit(pictures.unlike(3), wait=20, headers=asked))
        time.sleep(0.5)  # let the waiter wait; if it comes later it finds the job canceled
        assert api.delete(job["links"]["self"]).status_code == 204
        problem(waiting.result(10), 410, "canceled")


def test_the_others_move_up_and_a_new_one_is_taken(api: Client) -> None:
    job = api.accepted(pictures.unlike(5))
    assert job["position"] == 2


def test_a_heartbeat_comes_every_15_seconds(heartbeat: Future[float]) -> None:
    assert 10 < heartbeat.result(30) < 17


def test_it_goes_on_by_itself_when_a_worker_comes(
    idle: Stack, api: Client, first: Json, second: Json
) -> None:
    assert api.job(second)["state"] == "queued"
    idle.start_worker()
    assert api.ended(second)["state"] == "done"
    until(lambda: api.get("/readyz").status_code == 200, seconds=10, what="/readyz is 200")
    assert api.job(first)["state"] == "canceled"
    problem(api.get(first["links"]["image"]), 410, "canceled")
