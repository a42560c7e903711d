"""What somebody pushed by hand neither runs, nor takes a view down, nor stays for ever."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.dashboard import hostile
from tests.dashboard.desk_client import Desk, beside
from tests.stack import Stack


@pytest.fixture(scope="module")
def mark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is there once something was executed."""
    return tmp_path_factory.mktemp("mark") / "executed"


@pytest.fixture(scope="module")
def attacked(
    make_module_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory, mark: Path
) -> Iterator[Desk]:
    """A dashboard over a Redis full of such jobs; no worker takes them."""
    stack = make_module_stack(worker=False)
    with beside(stack, tmp_path_factory.mktemp("dashboard")) as desk:
        hostile.push(desk.redis, mark)
        hostile.push_failed(desk.redis, mark)
        hostile.push_workers(desk.redis)
        yield desk


def test_the_mark_would_be_made(tmp_path: Path) -> None:
    import pickle

    pickle.loads(pickle.dumps(hostile.Bomb(tmp_path / "made")))
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/0/view/workers",
        "/0/view/jobs/cropsvc/queued/200/asc/1",
        "/0/view/jobs/<img src=x>/queued/200/asc/1",
        "/0/data/queues.json",
        "/0/data/workers.json",
        "/0/data/jobs/cropsvc/queued/200/asc/1.json",
        "/0/data/jobs/cropsvc/queued/200/dsc/1.json",
        "/0/data/jobs/cropsvc/failed/200/asc/1.json",
        "/0/data/jobs/cropsvc/finished/200/asc/1.json",
    ],
)
def test_views_of_hostile_jobs_answer(attacked: Desk, mark: Path, path: str) -> None:
    answer = attacked.http.get(path)
    assert answer.status_code == 200
    assert not mark.exists()
    if "json" not in answer.headers["Content-Type"]:
        assert "<img" not in answer.text


IDS = [*hostile.pushed(Path("x")), "failed-markup", "failed-garbage", "failed-type"]


@pytest.mark.parametrize("job_id", [*IDS, "returned-pickle", "a-string"])
def test_the_page_of_a_hostile_job_answers(attacked: Desk, mark: Path, job_id: str) -> None:
    gone = job_id == "no-data"  # without a call it is no job
    page = attacked.http.get(f"/0/view/job/{job_id}")
    data = attacked.http.get(f"/0/data/job/{job_id}.json")
    assert (page.status_code, data.status_code) == ((404, 404) if gone else (200, 200))
    assert gone or data.json()["id"] == job_id
    assert "<img" not in page.text
    assert not mark.exists()


def test_bytes_are_shown_as_their_number(attacked: Desk) -> None:
    assert attacked.shown("bytes")["metadata"] == '{"unserialized": "<30 bytes>"}'


def test_all_that_can_be_shown_is_listed(attacked: Desk) -> None:
    told = attacked.http.get("/0/data/workers.json").json()["workers"]
    assert {worker["name"] for worker in told} == {hostile.PAYLOAD, "busy"}
    listed = attacked.ids("queued")
    assert set(hostile.pushed(Path("x"))) - set(listed) == {"no-data"}


@pytest.mark.parametrize("job_id", ["failed-markup", "failed-garbage", "function", "odd-call"])
def test_a_foreign_job_is_never_requeued(attacked: Desk, mark: Path, job_id: str) -> None:
    attacked.redis.hset(f"rq:job:{job_id}", "status", "failed")
    waiting = attacked.redis.llen(hostile.QUEUE_KEY)
    answer = attacked.http.post(f"/job/{job_id}/requeue")
    assert answer.status_code in (409, 410)
    assert attacked.redis.llen(hostile.QUEUE_KEY) == waiting
    assert not mark.exists()


@pytest.mark.parametrize("job_id", IDS)
def test_cancel_of_a_hostile_job_is_no_server_error(
    attacked: Desk, mark: Path, job_id: str
) -> None:
    assert attacked.http.post(f"/job/{job_id}/cancel").status_code in (200, 404, 409)
    assert not mark.exists()


def test_hostile_jobs_can_all_be_deleted(attacked: Desk, mark: Path) -> None:
    for registry in ("queued", "failed", "finished", "canceled"):
        answer = attacked.http.post(f"/queue/cropsvc/{registry}/empty")
        assert answer.status_code == 200
        assert attacked.ids(registry) == []
    assert attacked.redis.llen(hostile.QUEUE_KEY) == 0
    assert not mark.exists()


def test_each_hostile_job_can_be_deleted(attacked: Desk, mark: Path) -> None:
    ids = hostile.push(attacked.redis, mark) + hostile.push_failed(attacked.redis, mark)
    for job_id in ids:
        assert attacked.http.post(f"/job/{job_id}/delete").status_code == 200, job_id
        assert not attacked.redis.exists(f"rq:job:{job_id}"), job_id
    assert attacked.http.post("/queue/cropsvc/compact").status_code == 200
    assert not mark.exists()
