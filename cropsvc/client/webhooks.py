"""Verify the messages that the service sends to webhooks (Standard Webhooks 1.0)."""

import base64
import binascii
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cropsvc.client.errors import ClientError
from cropsvc.client.model import Job, job_of

TOLERANCE = 300.0  # seconds that a message's time may differ from this machine's
PREFIX = "whsec_"


class WrongSignature(ClientError):
    """A message that the service did not send, or that is too old."""


@dataclass(frozen=True)
class Message:
    """A verified message. One that comes twice has the same id."""

    id: str
    kind: str  # crop.done, crop.failed or crop.canceled
    job: Job


def verify_webhook(
    body: bytes | str,
    headers: Mapping[str, str],
    secrets: str | Iterable[str],
    *,
    tolerance: float = TOLERANCE,
) -> Message:
    """Return the message in *body*, the request's body as it came.

    *secrets* is `whsec_...`, or several of them while the secret is changed. Raises
    WrongSignature, and ValueError for a secret that is none.
    """
    data = body.encode() if isinstance(body, str) else body
    keys = [_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    found = {name.lower(): value for name, value in headers.items()}
    message_id, stamp, signatures = (
        found.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 15:
        raise WrongSignature(f"`webhook-timestamp` must be whole seconds; got {stamp[:40]!r}")
    if abs(time.time() - int(stamp)) > tolerance:
        raise WrongSignature(f"the message's time {stamp} is over {tolerance:g} s away from now")
    signed = b".".join((message_id.encode(), stamp.encode(), data))
    given = [one.encode() for one in signatures.split() if one.startswith("v1,")]
    if not any(hmac.compare_digest(_signature(key, signed), one) for key in keys for one in given):
        raise WrongSignature("the signature does not fit the body and the secret")
    return _message(message_id, data)


def _message(message_id: str, data: bytes) -> Message:
    raw = json.loads(data)
    return Message(message_id, raw["type"], job_of(raw["data"]))


def _signature(key: bytes, signed: bytes) -> bytes:
    return b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256"))


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a webhook secret must be `whsec_` and base64") from None
