"""Under load, with a worker or the broker killed: nothing acknowledged is lost."""

import signal
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from tests import broker as brokers
from tests.broker import Broker
from tests.celery.conftest import MakeService, Service, picture
from tests.contract.client import TERMINAL, problem

JOBS = 60
CLIENTS = 4


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One of this file's own: with the virtual hosts of all other tests it is minutes to start."""
    with brokers.running(tmp_path_factory.mktemp("rabbitmq")) as started:
        yield started


class Load:
    """Clients that submit until so many jobs in all were acknowledged."""

    def __init__(self, service: Service) -> None:
        self.acknowledged: list[str] = []
        self.refused = 0
        self._service = service
        self._threads = [threading.Thread(target=self._submit) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, jobs: int) -> None:
        """Until so many were acknowledged."""
        self._service.until(lambda: len(self.acknowledged) >= jobs, f"{jobs} jobs", 60)

    def end(self) -> None:
        """Until all clients are through."""
        for thread in self._threads:
            thread.join(120)

    def _submit(self) -> None:
        with httpx.Client(base_url=self._service.stack.url, timeout=20) as client:
            while len(self.acknowledged) < JOBS:
                answer = client.post("/v1/crops", params={"box": "1,1,9,9"}, files=_form())
                if answer.status_code == 202:
                    self.acknowledged.append(answer.json()["id"])
                else:
                    problem(answer, 503, "unavailable")
                    self.refused += 1
                    time.sleep(0.2)


def _form() -> dict[str, tuple[str, bytes]]:
    return {"image": ("photo.png", picture())}


def outcomes(service: Service, load: Load) -> set[str]:
    """The states of all acknowledged jobs, once they are terminal; none may be unknown."""
    return {service.ended(job, 60)["state"] for job in load.acknowledged}


def test_killed_workers_lose_nothing(make_service: MakeService) -> None:
    service = make_service(workers=2)
    load = Load(service)
    for jobs in (15, 30, 45):
        load.wait_for(jobs)
        workers = [
            p for p in service.stack.worker.tree()[1:] if "worker.py" in " ".join(p.cmdline())
        ]
        workers[0].kill()
    load.end()
    assert len(load.acknowledged) >= JOBS
    assert outcomes(service, load) == {"done"}


def test_a_killed_broker_loses_nothing(make_service: MakeService, broker: Broker) -> None:
    service = make_service(workers=2)
    load = Load(service)
    load.wait_for(20)
    broker.kill()
    time.sleep(1)  # so that clients meet the outage
    broker.start()
    load.end()
    assert len(load.acknowledged) >= JOBS
    assert outcomes(service, load) == {"done"}
    service.stack.wait_ready()


def test_a_hung_broker_is_answered_with_503_in_time(
    make_service: MakeService, broker: Broker
) -> None:
    service = make_service()
    service.ended(service.submit())
    hung = [broker.part.tree()[0], *broker.part.tree()[1:]]
    for process in hung:
        process.suspend()
    try:
        for _ in range(2):  # on a connection, and without one
            began = time.monotonic()
            problem(service.api.submit(picture()), 503, "unavailable")
            assert time.monotonic() - began < 2
    finally:
        for process in hung:
            process.resume()
    service.until(lambda: service.api.submit(picture()).status_code == 202, "it is back")


def test_a_worker_without_its_broker_is_not_ready(
    make_service: MakeService, broker: Broker
) -> None:
    service = make_service()
    broker.kill()
    try:
        service.until(lambda: _failing(service) == ["workers"], "/readyz says so")
    finally:
        broker.start()
    service.stack.wait_ready()


def _failing(service: Service) -> list[str]:
    answer = service.api.get("/readyz")
    return answer.json()["failing"] if answer.status_code == 503 else []


def test_a_store_that_is_away_is_waited_for(make_service: MakeService) -> None:
    service = make_service()
    service.ended(service.submit())
    service.stack.kill(service.stack.valkey)
    result_before = service.stack.worker.pid
    time.sleep(2)
    service.stack.start_valkey()
    service.stack.wait_ready()
    assert service.stack.worker.pid == result_before
    assert service.ended(service.submit())["state"] == "done"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_stopped_ends_its_crop_first(
    make_service: MakeService, number: signal.Signals
) -> None:
    service = make_service()
    service.ended(service.submit())
    service.crop_process().suspend()
    held, waiting = service.submit(), service.submit()
    service.until(lambda: service.queue.facts()["messages_unacknowledged"] == 1, "it is taken")
    service.stack.worker.signal(number)
    assert service.stack.worker.join(1) is None
    service.crop_process().resume()
    assert service.stack.worker.join(20) == 0
    assert service.job(held)["state"] == "done"
    assert service.job(waiting)["state"] == "queued"
    assert service.job(waiting)["state"] not in TERMINAL
    service.stack.start_worker()
    assert service.ended(waiting)["state"] == "done"


def test_a_running_job_is_canceled_within_a_second(make_service: MakeService) -> None:
    service = make_service()
    service.ended(service.submit())
    (held := service.crop_process()).suspend()
    job = service.submit()
    service.until(lambda: service.queue.facts()["messages_unacknowledged"] == 1, "it is taken")
    assert service.api.delete(f"/v1/crops/{job}").status_code == 204
    service.until(lambda: not held.is_running(), "the crop process is gone", 3)
    assert service.job(job)["state"] == "canceled"
    assert service.ended(service.submit())["state"] == "done"
