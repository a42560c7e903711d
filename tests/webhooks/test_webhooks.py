"""Webhooks end to end: a real stack, the delivery process, a receiver that verifies."""

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests import pictures
from tests.contract.client import Client, Json, problem
from tests.stack import Part, Stack, until
from tests.webhooks.receiver import SECRET, Receiver, receiving


@dataclass
class Office:
    """A stack that sends webhooks, its delivery process, and a receiver."""

    stack: Stack
    api: Client
    courier: Part
    receiver: Receiver
    dead: str  # the URL of a receiver that never answers

    def submit(self, path: str, number: int, **params: object) -> Json:
        url = self.receiver.url(path)
        return self.api.accepted(pictures.unlike(number), webhook=url, **params)

    def webhook(self, job: Json) -> Json:
        return self.api.job(job["id"])["webhook"]

    def settled(self, job: Json, state: str, seconds: float = 20) -> Json:
        def found() -> Json | None:
            webhook = self.webhook(job)
            return webhook if webhook["state"] == state else None

        return until(found, seconds=seconds, what=f"the message is {state}")


@pytest.fixture(scope="module")
def office(make_module_stack: Callable[..., Stack]) -> Iterator[Office]:
    with receiving() as receiver, socket.create_server(("", 0), backlog=256) as dead:
        hosts = [f"127.0.0.1:{port}" for port in (receiver.port, dead.getsockname()[1])]
        hosts += [f"*:{dead.getsockname()[1]}"]
        stack = make_module_stack(
            workers=2,
            webhook_secret=SECRET,
            webhook_hosts=",".join(["*", *hosts]),
            url_networks="127.0.0.1/32,127.0.1.0/24",
        )
        command = [sys.executable, "-m", "cropsvc.webhooks"]
        courier = stack._part("webhooks", command, dict(stack.web._environ))
        courier.start()
        with Client(stack.url) as api:
            yield Office(stack, api, courier, receiver, f"http://{hosts[1]}/")
        courier.signal(signal.SIGTERM)
        assert courier.join(25) == 0
        assert "Traceback" not in courier.log.read_text()


def test_the_end_of_a_job_is_delivered_and_verified(office: Office) -> None:
    job = office.submit("/done", 1)
    webhook = office.settled(job, "delivered")
    assert webhook == {"state": "delivered", "attempts": 1, "last_status": 204, "next_at": None}
    [(_, message_id, message)] = [came for came in office.receiver.came if came[0] == "/done"]
    assert message_id == f"msg_{job['id']}"
    assert message["type"] == "crop.done"
    assert message["data"]["outputs"] == office.api.job(job["id"])["outputs"]
    assert office.receiver.wrong == []


def test_a_failed_and_a_canceled_job_are_delivered_too(office: Office) -> None:
    params = {"max_bytes": 1024, "webhook": office.receiver.url("/failed")}
    failed = office.api.submit(pictures.jpeg(1200, 900), **params)
    office.settled(failed.json(), "delivered")
    office.stack.kill(office.stack.worker)
    canceled = office.submit("/canceled", 2)
    office.api.delete(f"/v1/crops/{canceled['id']}")
    until(lambda: office.receiver.count("/canceled"), seconds=20, what="the cancel is delivered")
    office.stack.start_worker()
    assert failed.status_code == 202
    until(lambda: office.receiver.count("/failed"), seconds=20, what="the end is delivered")
    types = {path: message.get("type") for path, _, message in office.receiver.came}
    assert (types["/failed"], types["/canceled"]) == ("crop.failed", "crop.canceled")


def test_a_reused_result_is_delivered_too(office: Office) -> None:
    office.settled(office.submit("/first", 3), "delivered")
    office.settled(office.submit("/again", 3), "delivered")
    assert office.receiver.count("/again") == 1


def test_500_is_tried_again_and_the_id_stays(office: Office) -> None:
    job = office.submit("/flaky", 4)
    webhook = office.settled(job, "delivered")
    assert webhook["attempts"] == 2
    assert {came[1] for came in office.receiver.came if came[0] == "/flaky"} == {f"msg_{job['id']}"}


def test_410_gives_up_and_it_can_be_sent_again(office: Office) -> None:
    job = office.submit("/410", 5)
    assert office.settled(job, "failed")["last_status"] == 410
    assert office.api.post(f"/v1/crops/{job['id']}/webhook").status_code == 202
    until(lambda: office.receiver.count("/410") == 2, seconds=20, what="it is sent again")


@pytest.mark.parametrize(("path", "status"), [("/429", 429), ("/redirect", 302)])
def test_what_waits_says_until_when(office: Office, path: str, status: int) -> None:
    job = office.submit(path, 6 + status)
    until(lambda: office.webhook(job)["attempts"] == 1, seconds=20, what="it was tried")
    webhook = office.webhook(job)
    assert (webhook["state"], webhook["last_status"]) == ("waiting", status)
    assert webhook["next_at"] > office.api.job(job["id"])["ended_at"]
    assert office.receiver.count("/ok") == 0


def test_receivers_that_hang_delay_nobody_else(office: Office) -> None:
    """Thirty messages to one that is dead, and one to each of thirty names of it."""
    for number in range(30):
        office.api.accepted(pictures.unlike(900 + number), webhook=office.dead)
        alias = office.dead.replace("127.0.0.1", f"127.0.1.{number}")
        office.api.accepted(pictures.unlike(930 + number), webhook=alias)
    office.settled(office.submit("/beside", 999), "delivered", 10)


def test_kills_of_the_delivery_process_lose_nothing(office: Office) -> None:
    ids = set()
    for number in range(30):
        ids.add(office.submit("/kills", 2000 + number)["id"])
        if number % 10 == 5:
            office.courier.signal(signal.SIGKILL)
            office.courier.join(5)
            office.courier.start()

    def arrived() -> bool:
        return ids <= {came[1].removeprefix("msg_") for came in list(office.receiver.came)}

    until(arrived, seconds=60, what="every message has arrived")


def test_what_is_no_receiver_is_refused(office: Office) -> None:
    data = pictures.png()
    for url in ("ftp://h/", "nonsense", "https://ann:pw@h/"):
        problem(office.api.submit(data, webhook=url), 400, "bad-parameter")
    problem(office.api.submit(data, webhook="https://h:8443/"), 403, "source-forbidden")


def test_a_message_to_the_inside_is_not_sent(office: Office) -> None:
    job = office.api.accepted(pictures.unlike(5000), webhook="http://127.0.0.2:80/")
    until(lambda: office.webhook(job)["attempts"] == 1, seconds=20, what="it was tried")
    assert office.webhook(job)["last_status"] is None


def test_a_job_without_a_webhook_has_none_to_send(office: Office) -> None:
    job = office.api.crop(pictures.png())
    assert "webhook" not in job
    problem(office.api.post(f"/v1/crops/{job['id']}/webhook"), 404, "not-found")


def test_a_server_without_webhooks_says_so(idle_stack: Stack) -> None:
    with Client(idle_stack.url) as api:
        problem(api.submit(pictures.png(), webhook="https://h/"), 400, "bad-parameter")


def test_deliveries_are_counted(office: Office) -> None:
    lines = office.api.get("/metrics").text.splitlines()
    [line] = [one for one in lines if one.startswith('cropsvc_webhooks_total{outcome="delivered"}')]
    assert float(line.split()[-1]) >= 1
