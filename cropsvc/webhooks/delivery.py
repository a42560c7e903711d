"""One attempt to deliver one message, by Standard Webhooks 1.0 (standardwebhooks.com)."""

import json
import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import gevent
from standardwebhooks import Webhook as Signer
from urllib3.exceptions import HTTPError

from cropsvc import __version__
from cropsvc.jobs.presentation import job_json
from cropsvc.model.hosts import host_allowed
from cropsvc.model.job import Job
from cropsvc.outbound.addresses import Allowed
from cropsvc.outbound.connection import AddressForbidden, Call, Route, called
from cropsvc.outbound.target import Target
from cropsvc.settings.settings import Settings

DELAYS = (0, 5, 30, 120, 600, 1800, 3600)  # seconds before each attempt; the last one repeats
JITTER = 0.1
SECONDS = 15.0  # for one attempt, all in all
LONGEST_WAIT = 30 * 24 * 3600.0  # seconds; a later time than year 9999 could not be shown
GONE = 410

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempt:
    """How an attempt ended: the new state, the status (0: no answer), seconds until the next."""

    state: str  # waiting, delivered or failed
    status: int
    wait: float = 0.0


def message(job: Job) -> bytes:
    """Return the body of the message about an ended job."""
    ended = datetime.fromtimestamp((job.ended or 0) / 1000, UTC)
    stamp = ended.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = {"type": f"crop.{job.state}", "timestamp": stamp, "data": job_json(job)}
    return json.dumps(body, separators=(",", ":")).encode()


def headers_of(job: Job, body: bytes, secrets: tuple[str, ...]) -> dict[str, str]:
    """Return the headers of an attempt that is made now. The id is the same for all of a job's."""
    message_id, now = f"msg_{job.id}", datetime.now(UTC)
    signatures = [Signer(secret).sign(message_id, now, body.decode()) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": f"cropsvc/{__version__}",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def attempt(job: Job, settings: Settings) -> Attempt:
    """Deliver the message about *job*, and return how that ended. Raise nothing."""
    hook = job.webhook
    if hook is None:
        return Attempt("failed", 0)
    body = message(job)
    status: int = 0
    answered: Mapping[str, str] = {}
    timeout = gevent.Timeout(SECONDS)
    try:
        with timeout:
            headers = headers_of(job, body, settings.webhook_secrets)
            status, answered = _posted(hook.url, body, headers, settings)
    except gevent.Timeout as fired:
        if fired is not timeout:
            raise
    except (HTTPError, OSError, ValueError, AddressForbidden) as error:
        log.info("no answer to webhook %s: %s", job.id, type(error).__name__)
    return outcome(status, answered, hook.attempts)


def _posted(
    url: str, body: bytes, headers: dict[str, str], settings: Settings
) -> tuple[int, Mapping[str, str]]:
    target = Target.read(url)
    if not host_allowed(settings.webhook_hosts, target.host, target.port):
        raise AddressForbidden  # the operator has taken the host from the list since
    # Without TLS a message goes to the operator's own networks only.
    allowed = Allowed(settings.url_networks, public=target.scheme == "https")
    route = Route(allowed, settings.url_proxy, SECONDS)
    with called(Call("POST", target, headers, body), route) as answer:
        return answer.status, answer.headers


def outcome(status: int, headers: Mapping[str, str], attempts: int) -> Attempt:
    """Return what an answer means after *attempts* earlier ones."""
    if 200 <= status < 300:
        return Attempt("delivered", status)
    if status == GONE:
        return Attempt("failed", status)
    usual = DELAYS[min(attempts + 1, len(DELAYS) - 1)] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load
    return Attempt("waiting", status, max(usual, retry_after(headers.get("Retry-After", ""))))


def retry_after(text: str) -> float:
    """Return the seconds of a Retry-After header, a number or a date, up to a month; 0 without."""
    if text.isascii() and text.isdecimal():
        return min(float(text), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), LONGEST_WAIT)
