"""Every view answers, whatever state the jobs are in."""

import json
import re

import pytest

from tests.dashboard.desk_client import Desk

REGISTRIES = ("queued", "started", "finished", "failed", "canceled", "deferred", "scheduled")


@pytest.fixture(scope="module")
def jobs(desk: Desk):
    """A job in every state, by its state; one runs all the while."""
    jobs = {"finished": desk.done(), "failed": desk.failed()}
    with desk.held() as held:
        jobs["started"] = held.running()
        jobs["canceled"] = desk.submit()
        assert desk.http.post(f"/job/{jobs['canceled']}/cancel").status_code == 200
        jobs["queued"] = desk.submit()
        yield jobs


@pytest.mark.parametrize("view", ["", "0/", "0/view", "0/view/queues", "0/view/jobs"])
def test_overviews_answer(desk: Desk, jobs: dict[str, str], view: str) -> None:
    answer = desk.http.get(f"/{view}")
    assert answer.status_code == 200
    assert "cropsvc" in answer.text


@pytest.mark.parametrize("registry", REGISTRIES)
@pytest.mark.parametrize("order", ["asc", "dsc"])
def test_lists_hold_the_jobs_of_their_state(
    desk: Desk, jobs: dict[str, str], registry: str, order: str
) -> None:
    page = desk.http.get(f"/0/view/jobs/cropsvc/{registry}/8/{order}/1")
    listed = desk.http.get(f"/0/data/jobs/cropsvc/{registry}/8/{order}/1.json")
    assert (page.status_code, listed.status_code) == (200, 200)
    ids = [job["id"] for job in listed.json()["jobs"]]
    assert ids == [jobs[state] for state in jobs if state == registry]


@pytest.mark.parametrize(
    ("registry", "state", "urls"),
    [
        ("queued", "queued", {"view", "delete", "cancel"}),
        ("started", "running", {"view", "delete", "cancel"}),
        ("finished", "done", {"view", "delete"}),
        ("failed", "failed", {"view", "delete", "requeue"}),
        ("canceled", "canceled", {"view", "delete"}),
    ],
)
def test_a_job_shows_its_state_and_what_can_be_done(
    desk: Desk, jobs: dict[str, str], registry: str, state: str, urls: set[str]
) -> None:
    assert desk.http.get(f"/0/view/job/{jobs[registry]}").status_code == 200
    shown = desk.shown(jobs[registry])
    assert (shown["state"], set(shown["urls"])) == (state, urls)
    assert shown["function"] == "cropsvc.crop"
    assert re.fullmatch(r"(jpeg|png), \d+ x \d+, \d+ bytes", shown["record"]["source"])


def test_a_job_shows_progress_stage_and_reason(desk: Desk, jobs: dict[str, str]) -> None:
    done, failed = desk.shown(jobs["finished"]), desk.shown(jobs["failed"])
    assert (done["progress"], done["stage"]) == (1.0, "done")
    assert failed["exc_info"].startswith("unreadable: ")
    assert failed["progress"] < 1.0


def test_workers_are_shown_while_one_works(desk: Desk, jobs: dict[str, str]) -> None:
    assert desk.http.get("/0/view/workers").status_code == 200
    answer = desk.http.get("/0/data/workers.json")
    assert answer.status_code == 200
    [worker] = answer.json()["workers"]
    assert worker["queues"] == ["cropsvc"]
    assert worker["current_job"]["job_id"] == jobs["started"]
    assert worker["current_job"]["call_string"] == "cropsvc.crop"


def test_queues_are_counted(desk: Desk, jobs: dict[str, str]) -> None:
    [queue] = desk.http.get("/0/data/queues.json").json()["queues"]
    assert (queue["name"], queue["count"]) == ("cropsvc", 1)
    for registry in ("started", "finished", "failed", "canceled"):
        assert queue[f"{registry}_job_registry_count"] == 1


def test_pages_hold_as_many_jobs_as_asked_and_each_once(desk: Desk, jobs: dict[str, str]) -> None:
    more = [desk.submit() for _ in range(6)]
    waiting = [jobs["queued"], *more]
    for order, expected in (("asc", waiting), ("dsc", waiting[::-1])):
        pages = [
            desk.http.get(f"/0/data/jobs/cropsvc/queued/3/{order}/{page}.json").json()
            for page in (1, 2, 3)
        ]
        ids = [[job["id"] for job in page["jobs"]] for page in pages]
        assert ids == [expected[:3], expected[3:6], expected[6:]]
        assert pages[0]["pagination"]["num_pages"] == 3
    for job_id in more:
        desk.http.post(f"/job/{job_id}/delete")


@pytest.mark.parametrize(
    "path",
    [
        "/0/view/job/unknown",
        "/0/data/job/unknown.json",
        "/0/view/jobs/cropsvc/nonsense/8/asc/1",
        "/0/data/jobs/cropsvc/nonsense/8/asc/1.json",
        "/0/data/jobs/cropsvc/queued/0/asc/1.json",
        "/0/data/jobs/cropsvc/queued/201/asc/1.json",
        "/0/data/jobs/cropsvc/queued/x/asc/1.json",
        "/0/data/jobs/cropsvc/queued/8/asc/0.json",
        "/0/data/jobs/cropsvc/queued/8/up/1.json",
        "/1/view/queues",
        "/1/data/workers.json",
        "/static/js/jquery-3.5.1.min.js",
        "/static/js/underscore-umd-min.js",
        "/nowhere",
    ],
)
def test_what_is_not_there_is_404(desk: Desk, path: str) -> None:
    assert desk.http.get(path).status_code == 404


def test_a_queue_that_never_was_is_empty(desk: Desk) -> None:
    assert desk.http.get("/0/data/jobs/other/failed/8/asc/1.json").json()["jobs"] == []


def test_requests_are_logged_without_secrets(desk: Desk) -> None:
    desk.http.get("/0/view/workers?token=s3cret")
    desk.http.get("/nowhere%0Aforged")
    log = desk.dashboard.part.tail(400)
    lines = [json.loads(line) for line in log.splitlines()]
    told = [(line.get("path"), line.get("status")) for line in lines]
    assert ("/0/view/workers", 200) in told
    assert ("/nowhere\\x0aforged", 404) in told
    for secret in ("s3cret", "Basic ", "pass w", desk.stack.redis_url):
        assert secret not in log
