"""What lives how long, with a source of one second and results of three."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests import pictures
from tests.contract.client import Client, problem
from tests.stack import Stack, until

RESULT_TTL = 3


@pytest.fixture(scope="module")
def brief(make_module_stack) -> Stack:
    return make_module_stack(result_ttl=RESULT_TTL, source_ttl=1, workers=1)


@pytest.fixture(scope="module")
def api(brief: Stack) -> Iterator[Client]:
    with Client(brief.url) as client:
        yield client


def gone(api: Client, path: str) -> None:
    until(lambda: api.get(path).status_code != 200, seconds=10, what=f"{path} is gone")


def test_a_source_goes_first_then_the_job_with_its_bytes(api: Client) -> None:
    job = api.crop(pictures.png())
    ended, expires = (datetime.fromisoformat(job[name]) for name in ("ended_at", "expires_at"))
    assert (expires - ended).total_seconds() == pytest.approx(RESULT_TTL, abs=0.5)
    gone(api, job["links"]["source"])
    problem(api.get(job["links"]["source"]), 410, "expired")
    problem(api.submit(source=job["id"]), 410, "expired")
    assert api.get(job["links"]["image"]).status_code == 200
    gone(api, job["links"]["self"])
    assert time.time() >= expires.timestamp() - 0.1
    for path in ("", "/image", "/image/0", "/source", "/events"):
        problem(api.get(f"/v1/crops/{job['id']}{path}"), 410, "expired")
    assert api.get("/result.png", params={"jobid": job["id"]}).status_code == 410


def test_a_job_is_done_as_long_as_its_bytes_are_there(api: Client) -> None:
    job = api.crop(pictures.png(41, 30))
    until(lambda: _never_done_without_bytes(api, job), seconds=10, what="the job expired")


def _never_done_without_bytes(api: Client, job) -> bool:  # type: ignore[no-untyped-def]
    image = api.get(job["links"]["image"])
    record = api.get(job["links"]["self"])
    if image.status_code == 200:
        return False
    assert record.status_code == 410, "the bytes went before the record"
    return True


def test_a_reused_result_lives_as_long_as_its_own_job(api: Client) -> None:
    first = api.crop(pictures.png(42, 30))
    until(lambda: _age(first) > RESULT_TTL - 1.5, seconds=5, what="the first job is old")
    second = api.accepted(pictures.png(42, 30))
    assert second["cached"]
    gone(api, first["links"]["self"])
    assert api.bytes_of(second)
    gone(api, second["links"]["self"])


def _age(job) -> float:  # type: ignore[no-untyped-def]
    return time.time() - datetime.fromisoformat(job["ended_at"]).timestamp()


def test_failed_and_canceled_jobs_expire_too(api: Client) -> None:
    job = api.ended(api.accepted(pictures.truncated(pictures.jpeg(100, 80))))
    assert job["state"] == "failed"
    gone(api, job["links"]["self"])
    problem(api.get(job["links"]["self"]), 410, "expired")


def test_delete_of_an_expired_job_is_gone_or_done(api: Client) -> None:
    job = api.crop(pictures.png(43, 30))
    gone(api, job["links"]["self"])
    assert api.delete(job["links"]["self"]).status_code in (204, 410)


def test_an_idempotency_key_is_free_again_after_its_job(api: Client) -> None:
    headers = {"Idempotency-Key": "brief"}
    job = api.ended(api.accepted(pictures.png(44, 30), headers=headers))
    gone(api, job["links"]["self"])
    assert api.accepted(pictures.png(45, 30), headers=headers)["id"] != job["id"]


def test_nothing_of_the_jobs_stays_in_the_store(brief: Stack, api: Client) -> None:
    with brief.redis() as redis:
        jobs = [
            api.ended(api.accepted(pictures.unlike(n), headers={"Idempotency-Key": f"stays-{n}"}))
            for n in range(30)
        ]
        jobs.append(api.ended(api.accepted(pictures.truncated(pictures.jpeg(90, 80)))))
        deleted = jobs.pop(0)
        api.delete(deleted["links"]["self"])
        ids = [job["id"].encode() for job in (*jobs, deleted)]

        def cleared() -> bool:
            keys = list(redis.scan_iter(count=1000))
            return len(keys) < 30 and not any(id_ in key for id_ in ids for key in keys)

        until(cleared, seconds=RESULT_TTL + 15, what="all keys of the jobs are gone")
        sums = [job["source"]["sha256"].encode() for job in jobs]
        names = list(redis.scan_iter(count=1000))
        assert not any(sum_ in name for sum_ in sums for name in names)
    for job in jobs:
        problem(api.get(job["links"]["self"]), 410, "expired")
    problem(api.get(deleted["links"]["self"]), 410)
