"""What a receiver's answer means, and that the official verifier accepts what is sent."""

import json
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from cropsvc.model.hosts import HostRule
from cropsvc.model.job import Output, Webhook
from cropsvc.settings.settings import Settings
from cropsvc.webhooks.delivery import (
    DELAYS,
    Attempt,
    attempt,
    headers_of,
    message,
    outcome,
    retry_after,
)
from tests.store.conftest import job_of

OLD, NEW = ("whsec_" + "QUFB" * 8, "whsec_" + "QkJC" * 8)
JOB = replace(
    job_of("abc"), state="done", ended=1_000_000, expires=4_600_000,
    outputs=(Output("0", "done", format="png"),), webhook=Webhook("https://r.test/h"),
)  # fmt: skip


def test_the_official_verifier_accepts_the_message() -> None:
    body = message(JOB)
    found = Verifier(NEW).verify(body.decode(), headers_of(JOB, body, (NEW,)))
    assert found["type"] == "crop.done"
    assert found["timestamp"] == "1970-01-01T00:16:40.000Z"
    assert found["data"]["id"] == "abc"
    assert found["data"]["webhook"]["state"] == "waiting"


def test_while_secrets_rotate_both_accept_it() -> None:
    body = message(JOB)
    headers = headers_of(JOB, body, (NEW, OLD))
    assert Verifier(OLD).verify(body.decode(), headers) == Verifier(NEW).verify(
        body.decode(), headers
    )


def test_a_changed_message_is_not_accepted() -> None:
    body = message(JOB)
    with pytest.raises(WebhookVerificationError):
        Verifier(NEW).verify(body.decode() + " ", headers_of(JOB, body, (NEW,)))


def test_the_id_is_the_same_for_every_attempt() -> None:
    first, second = (headers_of(JOB, message(job), (NEW,)) for job in (JOB, replace(JOB)))
    assert first["webhook-id"] == second["webhook-id"] == "msg_abc"


@pytest.mark.parametrize("state", ["done", "failed", "canceled"])
def test_the_type_is_the_jobs_end(state: str) -> None:
    assert json.loads(message(replace(JOB, state=state)))["type"] == f"crop.{state}"


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    assert outcome(status, {}, 0) == Attempt("delivered", status)


def test_410_gives_up() -> None:
    assert outcome(410, {}, 0) == Attempt("failed", 410)


@pytest.mark.parametrize("status", [0, 301, 302, 307, 400, 404, 429, 500, 503])
def test_all_else_is_tried_again(status: int) -> None:
    assert outcome(status, {}, 0).state == "waiting"


@pytest.mark.parametrize("attempts", range(9))
def test_the_waits_grow_as_the_contract_says(attempts: int) -> None:
    expected = (0, 5, 30, 120, 600, 1800, 3600)[min(attempts + 1, 6)]
    for _ in range(20):
        assert 0.9 * expected <= outcome(500, {}, attempts).wait <= 1.1 * expected
    assert DELAYS[0] == 0


def test_retry_after_is_obeyed() -> None:
    assert outcome(429, {"Retry-After": "77"}, 0).wait == 77
    assert outcome(503, {"Retry-After": "1"}, 1).wait >= 27


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "-5", "1.5", "Thu, 99 Foo 0000", "\xa0" * 9 + "5", "\u0665",
        "Mon, 01 Jan 99999999999 00:00:00 GMT", "Mon, 01 Jan 2026 00:00:00 +9999999999999",
    ],
)  # fmt: skip
def test_a_malformed_retry_after_counts_for_nothing(text: str) -> None:
    assert retry_after(text) == 0.0


@pytest.mark.parametrize("text", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 -2359"])
def test_a_retry_after_is_a_month_at_most(text: str) -> None:
    assert retry_after(text) == 30 * 24 * 3600


def test_retry_after_may_be_a_date() -> None:
    later = datetime.now(UTC) + timedelta(seconds=60)
    assert 55 < retry_after(format_datetime(later, usegmt=True)) <= 60


@pytest.mark.parametrize(("scheme", "calls"), [("http", 0), ("https", 1)])
def test_without_tls_no_public_address_is_called(
    monkeypatch: pytest.MonkeyPatch, scheme: str, calls: int
) -> None:
    called: list[object] = []

    class Wire(socket.socket):
        def connect(self, address: object) -> None:
            called.append(address)
            raise ConnectionRefusedError

    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr("cropsvc.outbound.connection.socket.socket", Wire)
    settings = replace(
        Settings.from_env({}),
        webhook_hosts=(HostRule("*"),),
        webhook_secrets=(NEW,),
        url_networks=(ip_network("10.0.0.0/8"),),
    )
    made = attempt(replace(JOB, webhook=Webhook(f"{scheme}://r.test/h")), settings)
    assert (made.state, made.status, len(called)) == ("waiting", 0, calls)
