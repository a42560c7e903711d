"""The client verifies what the service signs, and nothing else."""

import base64
from collections.abc import Mapping

import pytest

from cropsvc.client import WrongSignature, verify_webhook
from cropsvc.webhooks.delivery import headers_of, message
from tests.webhooks.test_delivery import JOB, NEW

OTHER = "whsec_" + base64.b64encode(b"another secret").decode()
BODY = message(JOB)
HEADERS = headers_of(JOB, BODY, (NEW,))
SIGNED_TWICE = headers_of(JOB, BODY, (OTHER, NEW))
STAMP = int(HEADERS["webhook-timestamp"])


@pytest.fixture(autouse=True)
def soon_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """Now is when the message was signed: a long run reaches these tests much later."""
    monkeypatch.setattr("cropsvc.client.webhooks.time.time", lambda: float(STAMP))


def test_a_message_is_verified_and_its_job_returned() -> None:
    got = verify_webhook(BODY, {k.title(): v for k, v in HEADERS.items()}, NEW)

    assert (got.id, got.kind, got.job.id) == (f"msg_{JOB.id}", "crop.done", JOB.id)
    assert verify_webhook(BODY.decode(), HEADERS, [OTHER, NEW]) == got
    assert verify_webhook(BODY, SIGNED_TWICE, NEW) == got


WRONG: list[tuple[bytes, Mapping[str, str], str]] = [
    (BODY + b" ", HEADERS, NEW),
    (BODY, HEADERS, OTHER),
    (BODY, {**HEADERS, "webhook-id": "msg_x"}, NEW),
    (BODY, {**HEADERS, "webhook-timestamp": str(STAMP + 1)}, NEW),
    (BODY, {**HEADERS, "webhook-timestamp": str(STAMP - 301)}, NEW),
    (BODY, {**HEADERS, "webhook-timestamp": "nan"}, NEW),
    (BODY, {**HEADERS, "webhook-signature": ""}, NEW),
    (BODY, {**HEADERS, "webhook-signature": "v1,é"}, NEW),
    (BODY, {}, NEW),
]


@pytest.mark.parametrize(("body", "headers", "secret"), WRONG)
def test_what_was_not_signed_so_is_refused(
    body: bytes, headers: Mapping[str, str], secret: str
) -> None:
    with pytest.raises(WrongSignature):
        verify_webhook(body, headers, secret)


def test_a_secret_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="whsec_"):
        verify_webhook(BODY, HEADERS, "whsec_?")
