"""What an operator's machines ask: is it alive, is it ready."""

from flask import Blueprint, Response, jsonify

from cropsvc.store import StoreUnavailable
from cropsvc.web.services import services

bp = Blueprint("ops", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    """200 while the process lives."""
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """200 if jobs would be taken and done now; else 503, and the part that fails.

    Warnings do not change the status: the service works, but the store may lose jobs.
    """
    try:
        checks, warnings = _checks(), services().store.warnings()
    except StoreUnavailable as error:
        checks, warnings = {"redis": f"does not answer: {type(error).__name__}"}, []
    failing = {part: verdict for part, verdict in checks.items() if verdict != "ok"}
    ready = not failing
    status = "ready" if ready else "not ready"
    body = jsonify(status=status, checks=checks, failing=list(failing), warnings=warnings)
    return body, 200 if ready else 503


def _checks() -> dict[str, str]:
    jobs = services().jobs
    services().store.check_writable()
    waiting = jobs.waiting()
    return {
        "redis": "ok",
        "workers": "ok" if jobs.workers() else "no worker's heartbeat is fresh",
        "queue": "ok" if waiting < jobs.cap else f"{waiting} jobs wait, the cap is {jobs.cap}",
    }
