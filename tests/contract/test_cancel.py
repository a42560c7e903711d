"""DELETE: a queued job never runs, a running one is killed, an ended one is removed."""

import time

import pytest

from tests import pictures
from tests.contract.client import Client, Json, problem

SLOW = {"format": "avif", "quality": 90, "outputs": "[{},{},{},{}]"}

pytestmark = pytest.mark.alone  # it tells how soon a crop is killed


@pytest.fixture(scope="module")
def large() -> bytes:
    """A picture that takes many seconds to encode as AVIF, four times over."""
    return pictures.large()


def running(api: Client, large: bytes, number: int) -> Json:
    job = api.accepted(large + bytes([number]), **SLOW)
    return api.until_state(job, "running")


def delete(api: Client, job: Json) -> None:
    response = api.delete(f"/v1/crops/{job['id']}")
    assert (response.status_code, response.content) == (204, b"")


def test_a_running_job_is_killed_within_a_second(api: Client, large: bytes) -> None:
    job = running(api, large, 1)
    problem(api.get(job["links"]["image"]), 409, "not-ready")
    asked = time.monotonic()
    delete(api, job)
    canceled = api.ended(job)
    assert time.monotonic() - asked < 1.5  # the second of the contract, and two round trips
    assert canceled["state"] == "canceled"
    assert canceled["expires_at"]
    problem(api.get(job["links"]["image"]), 410, "canceled")
    problem(api.get(job["links"]["image"] + "/0"), 410, "canceled")


def test_the_worker_takes_the_next_job_at_once_after_a_kill(api: Client, large: bytes) -> None:
    jobs = [running(api, large, number) for number in (2, 3)]  # both workers are held
    for job in jobs:
        delete(api, job)
    started = time.monotonic()
    api.crop(pictures.png(71, 30))
    assert time.monotonic() - started < 5


def test_canceling_again_is_no_content(api: Client, large: bytes) -> None:
    job = running(api, large, 4)
    delete(api, job)
    api.until_state(job, "canceled", seconds=5)
    path = f"/v1/crops/{job['id']}"
    assert api.delete(path).status_code == 204
    assert api.delete(path).status_code == 204


def test_an_ended_job_is_removed(api: Client) -> None:
    job = api.crop(pictures.png(72, 30))
    delete(api, job)
    for path in ("", "/image", "/image/0", "/source", "/events"):
        problem(api.get(f"/v1/crops/{job['id']}{path}"), 410, "deleted")
    delete(api, job)


def test_a_failed_job_is_removed_too(api: Client) -> None:
    job = api.ended(api.accepted(pictures.truncated(pictures.jpeg(200, 150, seed=31))))
    assert job["state"] == "failed"
    delete(api, job)
    problem(api.get(f"/v1/crops/{job['id']}"), 410, "deleted")


def test_a_shared_result_stays_for_the_other_job(api: Client) -> None:
    data = pictures.png(73, 30)
    first = api.crop(data)
    second = api.crop(data)
    assert second["cached"]
    delete(api, first)
    assert pictures.decode(api.bytes_of(second)).shape == (30, 73, 3)
    assert api.get(second["links"]["source"]).content == data


def test_a_deleted_job_cannot_be_cropped_again(api: Client) -> None:
    job = api.crop(pictures.png(74, 30))
    delete(api, job)
    problem(api.submit(source=job["id"]), 410)


def test_deleting_what_never_was_is_not_found(api: Client) -> None:
    problem(api.delete("/v1/crops/never-was"), 404, "not-found")
