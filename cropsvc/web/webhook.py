"""The `webhook` parameter, and sending a message again."""

from flask import Blueprint, Response

from cropsvc.model.errors import BadParameter, FieldError, NotFound, NotReady, SourceForbidden
from cropsvc.model.hosts import host_allowed
from cropsvc.outbound.target import Target
from cropsvc.settings.settings import Settings
from cropsvc.web.auth import current_owner
from cropsvc.web.services import services

OFF = "this server sends no webhooks (CROPSVC_WEBHOOK_SECRET, CROPSVC_WEBHOOK_HOSTS)"
FORBIDDEN = "this server may not send there; ask its operator (CROPSVC_WEBHOOK_HOSTS)"

bp = Blueprint("webhook", __name__, url_prefix="/v1/crops")


def checked_webhook(url: str | None, settings: Settings) -> str | None:
    """Return the URL, if it is one that messages may go to. Raises BadParameter, SourceForbidden.

    It must be https. Where the operator lists networks of their own, http is taken too; the
    delivery checks that the address is in one of them.
    """
    if url is None:
        return None
    if not settings.webhooks_on:
        raise _wrong(OFF)
    try:
        target = Target.read(url)
    except ValueError as error:
        raise _wrong(str(error)) from None
    if target.scheme != "https" and not settings.url_networks:
        raise _wrong("must begin with https://")
    if not host_allowed(settings.webhook_hosts, target.host, target.port):
        raise SourceForbidden(FORBIDDEN)
    return url


@bp.post("/<job_id>/webhook")
def resend(job_id: str) -> Response:
    """Send the message about an ended job again."""
    owner = current_owner()
    job = services().jobs.get(owner, job_id)
    if job.webhook is None:
        raise NotFound(f"job {job.id} has no webhook")
    if not job.is_terminal:
        raise NotReady(f"job {job.id} is {job.state}; its message is sent when it ends")
    services().store.resend_message(job.ref)
    return Response(status=202)


def _wrong(detail: str) -> BadParameter:
    return BadParameter.of(FieldError("webhook", detail))
