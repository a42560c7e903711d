"""Jobs go through a quorum queue of RabbitMQ, and none is lost on the way."""

import time
from pathlib import Path

import httpx
import pytest

from cropsvc.model.job import JobRef
from cropsvc.model.limits import Lifetimes
from cropsvc.queues.celery.recovery import OrphanRecovery
from cropsvc.store import Store
from cropsvc.store.keys import ORPHANS_TURN
from tests.broker import Broker
from tests.celery.conftest import MakeService, Service, picture
from tests.contract.client import problem


def test_a_job_moves_the_counters_of_the_quorum_queue(service: Service) -> None:
    before = {what: service.queue.count(what) for what in ("publish", "deliver", "ack")}
    jobs = [service.submit() for _ in range(5)]
    assert [service.ended(job)["state"] for job in jobs] == ["done"] * 5
    for what, count in before.items():
        service.until(
            lambda what=what, count=count: service.queue.count(what) >= count + 5, f"{what} moved"
        )
    service.until(lambda: service.queue.facts()["messages"] == 0, "none is left")


def test_the_queue_is_what_a_foreign_program_declares(service: Service) -> None:
    service.ended(service.submit())
    service.until(lambda: service.queue.facts().get("policy"), "RabbitMQ tells the policy")
    facts = service.queue.facts()
    assert (facts["type"], facts["durable"]) == ("quorum", True)
    assert facts["arguments"] == {"x-queue-type": "quorum"}
    assert facts["policy"] == "cropsvc"
    limits = facts["effective_policy_definition"]
    assert (limits["delivery-limit"], limits["dead-letter-routing-key"]) == (10, "cropsvc.dead")


def test_there_are_no_queues_for_delays_or_remote_control(service: Service) -> None:
    service.ended(service.submit())
    assert service.queue.names() == {"cropsvc", "cropsvc.dead"}


def test_a_job_of_ours_leaves_no_result_in_celerys_backend(service: Service) -> None:
    service.ended(service.submit())
    assert service.redis.keys("celery-*") == []


def test_a_queued_job_that_was_canceled_never_runs(make_service: MakeService) -> None:
    service = make_service(worker=False)
    canceled, kept = service.submit(), service.submit()
    assert service.api.delete(f"/v1/crops/{canceled}").status_code == 204
    service.stack.start_worker()
    assert service.ended(kept)["state"] == "done"
    assert service.job(canceled)["state"] == "canceled"
    assert service.redis.hget(f"cropsvc:job:-:{canceled}", "runs") is None
    service.until(lambda: service.queue.facts()["messages"] == 0, "its message is gone")


def test_messages_that_were_purged_are_sent_again(make_service: MakeService) -> None:
    service = make_service(worker=False)
    jobs = [service.submit() for _ in range(3)]
    service.queue.purge()
    service.stack.start_worker()
    assert [service.ended(job)["state"] for job in jobs] == ["done"] * 3


def test_an_overtaken_job_is_sent_again_though_the_queue_is_not_empty(
    make_service: MakeService,
) -> None:
    service = make_service(worker=False)
    lost, late = service.submit(), service.submit()
    service.redis.zincrby("cropsvc:pending", -60_000, f"-/{lost}")  # as if a minute ago
    job_queue = BusyQueue()
    orphans = OrphanRecovery(Store(service.redis, Lifetimes(60, 60)), job_queue)
    orphans.came(JobRef("-", late))

    def look() -> list[str]:
        service.redis.delete(ORPHANS_TURN)
        orphans.bring_back()
        return job_queue.sent

    look()
    assert service.until(look, "it is lost for long enough") == [lost]
    assert look() == [lost]  # and not again: it stands at the end now


class BusyQueue:
    """An engine with messages waiting, which notes what is sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def ready(self) -> int:
        return 5

    def commands(self, ref: JobRef, upload_from: str) -> None:
        return None

    def publish(self, ref: JobRef, upload_from: str) -> None:
        self.sent.append(ref.id)


def test_a_deleted_queue_is_made_again(make_service: MakeService, broker: Broker) -> None:
    service = make_service(worker=False)
    service.submit()
    vhost = service.broker_url.rpartition("/")[2]
    httpx.delete(f"{broker.api_url}/queues/{vhost}/cropsvc", timeout=10).raise_for_status()
    job = service.submit()
    service.until(lambda: service.queue.facts()["messages"] == 1, "the second one waits")
    service.stack.start_worker()
    assert service.ended(job)["state"] == "done"


def test_a_running_job_whose_worker_died_is_redelivered_at_once(
    make_service: MakeService,
) -> None:
    service = make_service()
    service.ended(service.submit())
    service.crop_process().suspend()
    job = service.submit()
    service.until(lambda: service.queue.facts()["messages_unacknowledged"] == 1, "it is taken")
    service.stack.kill(service.stack.worker)
    began = time.monotonic()
    service.stack.worker.start()
    assert service.ended(job)["state"] == "done"
    assert time.monotonic() - began < 15


def test_a_job_whose_workers_keep_dying_is_given_up(make_service: MakeService) -> None:
    service = make_service(worker=False)
    job = service.submit()
    service.redis.hset(f"cropsvc:job:-:{job}", "runs", 5)
    service.stack.start_worker()
    error = service.ended(job)["error"]
    assert error["code"] == "crop-failed"
    assert "again and again" in error["detail"]


def test_a_message_that_kills_its_workers_becomes_a_dead_letter(
    make_service: MakeService,
) -> None:
    service = make_service(worker=False)
    service.submit()
    for _ in range(11):
        with service.program().connection() as connection:
            queue = service.program().amqp.queues["cropsvc"](connection.default_channel)
            service.until(queue.get, "it is delivered")  # and not acknowledged
    service.until(lambda: service.queue.facts("cropsvc.dead")["messages"] == 1, "it is dead")
    service.until(lambda: service.queue.facts()["messages"] == 0, "it is no more in the queue")


@pytest.mark.parametrize("key", [None, "a-key"])
def test_without_a_broker_a_submit_is_refused_and_leaves_nothing(
    service: Service, broker: Broker, key: str | None
) -> None:
    service.ended(service.submit())
    before = _keys(service)
    headers = {"Idempotency-Key": key} if key else {}
    data = picture()
    broker.kill()
    try:
        began = time.monotonic()
        refused = service.api.submit(data, headers=headers)
        took = time.monotonic() - began
    finally:
        broker.start()
    problem(refused, 503, "unavailable")
    assert int(refused.headers["Retry-After"]) >= 1
    assert took < 2
    assert _keys(service) <= before
    assert service.ended(_accepted_in_time(service, data, headers))["state"] == "done"


def _accepted_in_time(service: Service, data: bytes, headers: dict[str, str]) -> str:
    """The id of the job once the broker is reached again, which takes no restart of ours."""

    def accepted() -> str | None:
        answer = service.api.submit(data, headers=headers)
        return answer.json()["id"] if answer.status_code == 202 else None

    return service.until(accepted, "the front end reaches the broker")


def _keys(service: Service) -> set[bytes]:
    """Every key of ours but those that the workers' heartbeats and looks bring and take."""
    known = service.redis.scan_iter("cropsvc:*")
    return {key for key in known if b"worker" not in key and b"orphans" not in key}


def test_images_lie_in_an_object_store_for_clients_and_for_foreign_programs(
    make_service: MakeService, tmp_path: Path
) -> None:
    pytest.importorskip("obstore")
    service = make_service(blobs=f"file://{tmp_path}/objects")
    data = picture() + bytes(9 * 1024**2)  # in parts
    job = service.api.crop(data, size="7x7")
    objects = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(objects) == 3
    assert service.api.bytes_of(job) in [path.read_bytes() for path in objects]
    foreign = service.program().send_task(
        "cropsvc.crop", [data, {"size": "7x7"}], serializer="msgpack"
    )
    assert foreign.get(timeout=30) == service.api.bytes_of(job)
