"""Requeue, cancel and delete: what the operator does is what the client sees."""

import httpx
import pytest
from redis.client import Pipeline

from cropsvc.model.job import JobRef
from cropsvc.model.limits import Lifetimes
from cropsvc.store import Store
from tests import pictures
from tests.dashboard.desk_client import Desk
from tests.stack import until

JOB_TIMEOUT = 4  # seconds; a job that is held longer fails as timed out


def timed_out(desk: Desk) -> str:
    """A job that failed though its picture is good."""
    with desk.held() as held:
        held.stall()
        job_id = desk.submit()
        desk.wait_state(job_id, "failed")
    desk.wait_listed(job_id, "failed")
    assert desk.job(job_id)["error"]["code"] == "timed-out"
    return job_id


def post(desk: Desk, path: str) -> httpx.Response:
    return desk.http.post(path)


def test_requeue_runs_a_failed_job_again(desk: Desk) -> None:
    job_id = timed_out(desk)
    before = desk.job(job_id)
    assert post(desk, f"/job/{job_id}/requeue").status_code == 200
    after = desk.job(job_id, wait=25)
    assert (after["state"], after["progress"], after["error"]) == ("done", 1.0, None)
    assert after["started_at"] > before["ended_at"]
    assert after["created_at"] == before["created_at"]
    image = desk.api.get(f"/v1/crops/{job_id}/image")
    assert (image.status_code, image.headers["Content-Type"]) == (200, "image/jpeg")
    desk.wait_listed(job_id, "finished")
    assert job_id not in desk.ids("failed")
    assert desk.shown(job_id)["exc_info"] is None


def test_a_requeued_job_waits_like_a_new_one(desk: Desk) -> None:
    job_id = timed_out(desk)
    failed = desk.job(job_id)
    with desk.held() as held:
        held.running()
        post(desk, f"/job/{job_id}/requeue")
        job = desk.job(job_id)
        assert (job["state"], job["stage"], job["position"]) == ("queued", "queued", 1)
        assert (job["ended_at"], job["expires_at"], job["started_at"]) == (None, None, None)
        assert job["progress"] == failed["progress"]  # it never falls
        assert [output["state"] for output in job["outputs"]] == ["queued"]
        shown = desk.shown(job_id)
        assert (shown["status"], shown["exc_info"]) == ("queued", None)
        assert desk.redis.ttl(f"rq:job:{job_id}") == -1
        lives = [key for key in desk.redis.keys(f"cropsvc:*{job_id}") if desk.redis.ttl(key) != -1]
        assert lives == []
        assert post(desk, f"/job/{job_id}/requeue").status_code == 409
        assert desk.redis.lrange("rq:queue:cropsvc", 0, -1) == [job_id.encode()]
    assert desk.job(job_id, wait=25)["state"] == "done"


def test_a_job_that_fails_again_can_be_requeued_again(desk: Desk) -> None:
    job_id = desk.failed()
    for _ in range(2):
        ended = desk.job(job_id)["ended_at"]
        assert post(desk, f"/job/{job_id}/requeue").status_code == 200
        until(lambda e=ended: (desk.job(job_id)["ended_at"] or e) > e, seconds=10, what="it ends")
        desk.wait_listed(job_id, "failed")
        assert desk.job(job_id)["error"]["code"] == "unreadable"


def test_requeue_keeps_the_idempotency_key(desk: Desk) -> None:
    data = pictures.truncated(pictures.jpeg(640, 480, seed=desk.number(500)))
    headers = {"Content-Type": "image/jpeg", "Idempotency-Key": "retry"}
    job_id = desk.api.post("/v1/crops?wait=10", content=data, headers=headers).json()["id"]
    desk.wait_listed(job_id, "failed")
    key = next(iter(desk.redis.keys("cropsvc:once:*")))
    assert desk.redis.ttl(key) > 0
    with desk.held() as held:
        held.running()
        post(desk, f"/job/{job_id}/requeue")
        assert desk.redis.ttl(key) == -1


def test_requeue_of_a_job_whose_upload_is_gone_is_410(desk: Desk) -> None:
    job_id = desk.failed()
    desk.redis.delete(f"cropsvc:source:-:{job_id}")
    answer = post(desk, f"/job/{job_id}/requeue")
    assert (answer.status_code, desk.job(job_id)["state"]) == (410, "failed")
    assert "upload is no longer kept" in answer.text
    assert desk.redis.llen("rq:queue:cropsvc") == 0


def test_requeue_of_a_job_that_its_client_deleted_is_410(desk: Desk) -> None:
    job_id = desk.failed()
    assert desk.api.delete(f"/v1/crops/{job_id}").status_code == 204
    answer = post(desk, f"/job/{job_id}/requeue")
    assert answer.status_code == 410
    assert "deleted by its client" in answer.text


def test_requeue_of_a_job_that_has_not_failed_is_409(desk: Desk) -> None:
    done = desk.done()
    answer = post(desk, f"/job/{done}/requeue")
    assert (answer.status_code, desk.job(done)["state"]) == (409, "done")
    assert "finished" in answer.text


def test_requeue_all_says_why_some_jobs_cannot_run(desk: Desk) -> None:
    post(desk, "/queue/cropsvc/failed/empty")
    good, gone = timed_out(desk), desk.failed()
    desk.redis.delete(f"cropsvc:source:-:{gone}")
    told = post(desk, "/requeue/cropsvc").json()
    assert told["count"] == 1
    assert list(told["refused"]) == [gone]
    assert desk.job(good, wait=25)["state"] == "done"


def test_two_requeues_at_once_run_it_once(desk: Desk) -> None:
    job_id = desk.failed()
    store = Store(desk.redis, Lifetimes(60, 60))
    ref = JobRef("-", job_id)

    def enqueue(pipe: Pipeline) -> None:
        pipe.rpush("test:enqueued", job_id)

    def enqueue_after_another(pipe: Pipeline) -> None:
        assert Store(desk.stack.redis(), Lifetimes(60, 60)).reopen(ref, enqueue)
        enqueue(pipe)

    assert not store.reopen(ref, enqueue_after_another)
    assert desk.redis.lrange("test:enqueued", 0, -1) == [job_id.encode()]
    store.cancel(ref)


def test_reopening_a_job_that_crops_anothers_upload_keeps_that_upload(desk: Desk) -> None:
    home = desk.failed()
    again = desk.api.post(f"/v1/crops?source={home}&box=0,0,9,9&wait=10").json()["id"]
    desk.wait_listed(again, "failed")
    with desk.held() as held:
        held.running()
        assert post(desk, f"/job/{again}/requeue").status_code == 200
        assert desk.redis.ttl(f"cropsvc:source:-:{home}") == -1
    desk.wait_listed(again, "failed")
    until(
        lambda: desk.redis.ttl(f"cropsvc:source:-:{home}") > 0, seconds=5, what="the upload may go"
    )


def test_cancel_of_a_waiting_job(desk: Desk) -> None:
    with desk.held() as held:
        held.running()
        job_id = desk.submit()
        assert post(desk, f"/job/{job_id}/cancel").status_code == 200
        assert desk.job(job_id)["state"] == "canceled"
        assert job_id not in desk.ids("queued")
        assert job_id in desk.ids("canceled")
        assert desk.redis.ttl(f"rq:job:{job_id}") > 0
    assert desk.job(desk.done())["state"] == "done"
    assert desk.job(job_id)["state"] == "canceled"
    assert post(desk, f"/job/{job_id}/cancel").status_code == 409


def test_canceled_jobs_that_expired_leave_the_registry(desk: Desk) -> None:
    with desk.held() as held:
        held.running()
        first, second = desk.submit(), desk.submit()
        post(desk, f"/job/{first}/cancel")
        desk.redis.delete(f"rq:job:{first}")
        assert first not in desk.ids("canceled")
        post(desk, f"/job/{second}/cancel")
    canceled = desk.redis.zrange("rq:canceled:cropsvc", 0, -1)
    assert first.encode() not in canceled
    assert second.encode() in canceled


def test_cancel_of_a_running_job_stops_it(desk: Desk) -> None:
    with desk.held() as held:
        job_id = held.running()
        assert post(desk, f"/job/{job_id}/cancel").status_code == 200
        assert desk.job(job_id)["state"] == "canceled"
        until(lambda: job_id not in desk.ids("started"), seconds=2, what="its worker stops it")
    assert desk.shown(job_id)["status"] == "stopped"
    assert "requeue" not in desk.shown(job_id)["urls"]
    answer = post(desk, f"/job/{job_id}/requeue")
    assert (answer.status_code, "canceled" in answer.text) == (409, True)
    assert desk.job(desk.done())["state"] == "done"


def test_cancel_of_an_ended_job_is_409(desk: Desk) -> None:
    assert post(desk, f"/job/{desk.done()}/cancel").status_code == 409


def test_delete_of_a_waiting_job_cancels_it_for_its_client(desk: Desk) -> None:
    with desk.held() as held:
        held.running()
        job_id = desk.submit()
        assert post(desk, f"/job/{job_id}/delete").status_code == 200
        assert desk.job(job_id)["state"] == "canceled"
        assert desk.api.get(f"/v1/crops/{job_id}/image").status_code == 410
    assert desk.http.get(f"/0/view/job/{job_id}").status_code == 404


def test_delete_of_a_running_job_stops_it_and_leaves_nothing(desk: Desk) -> None:
    with desk.held() as held:
        job_id = held.running()
        assert post(desk, f"/job/{job_id}/delete").status_code == 200
    assert desk.job(job_id)["state"] == "canceled"
    assert desk.http.get(f"/0/view/job/{job_id}").status_code == 404
    assert desk.job(desk.done())["state"] == "done"  # the worker has gone on
    assert desk.redis.keys(f"rq:*{job_id}*") == []


def test_delete_of_an_ended_job_leaves_its_result_to_the_client(desk: Desk) -> None:
    job_id = desk.done()
    assert post(desk, f"/job/{job_id}/delete").status_code == 200
    assert job_id not in desk.ids("finished")
    assert desk.api.get(f"/v1/crops/{job_id}/image").status_code == 200
    assert post(desk, f"/job/{job_id}/delete").status_code == 404


@pytest.mark.parametrize("registry", ["queued", "finished", "failed", "canceled", "scheduled"])
def test_a_state_can_be_emptied(desk: Desk, registry: str) -> None:
    with desk.held() as held:
        if registry in ("queued", "canceled"):
            held.running()
        make = {"finished": desk.done, "failed": desk.failed}.get(registry, desk.submit)
        job_id = make()
        if registry == "canceled":
            post(desk, f"/job/{job_id}/cancel")
        answer = post(desk, f"/queue/cropsvc/{registry}/empty")
        assert answer.status_code == 200
        assert desk.ids(registry) == []
        if registry == "queued":
            assert desk.job(job_id)["state"] == "canceled"


def test_emptying_the_running_ones_stops_them(desk: Desk) -> None:
    with desk.held() as held:
        job_id = held.running()
        assert post(desk, "/queue/cropsvc/started/empty").json()["count"] == 1
    assert desk.job(job_id)["state"] == "canceled"


def test_compact_of_an_empty_queue_is_fine_and_of_another_drops_what_is_gone(desk: Desk) -> None:
    assert post(desk, "/queue/cropsvc/compact").status_code == 200
    with desk.held() as held:
        held.running()
        kept = desk.submit()
        desk.redis.rpush("rq:queue:cropsvc", "gone")
        assert post(desk, "/queue/cropsvc/compact").status_code == 200
        assert desk.redis.lrange("rq:queue:cropsvc", 0, -1) == [kept.encode()]


@pytest.mark.parametrize("action", ["requeue", "cancel", "delete"])
def test_an_unknown_job_is_404(desk: Desk, action: str) -> None:
    assert post(desk, f"/job/unknown/{action}").status_code == 404


def test_an_unknown_registry_is_404(desk: Desk) -> None:
    assert post(desk, "/queue/cropsvc/nonsense/empty").status_code == 404
