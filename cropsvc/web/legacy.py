"""The first version's three routes, kept for the pages that were written for it."""

from flask import Blueprint, Response, jsonify, request
from werkzeug.wrappers import Response as BaseResponse

from cropsvc.jobs.presentation import job_json
from cropsvc.model.errors import Gone, NotFound
from cropsvc.web.auth import current_owner
from cropsvc.web.pages import job_page
from cropsvc.web.responses import image_response
from cropsvc.web.services import services
from cropsvc.web.submit import accept_sample

bp = Blueprint("classic", __name__)

NEARLY_DONE = 0.98  # the first version sent 0.99 and more only with SUCCESS


@bp.get("/image_page")
def image_page() -> Response:
    """Start a classic crop of the sample, and the page that polls for it; HEAD starts nothing.

    Raises Unauthorized.
    """
    if request.method == "HEAD":
        current_owner()
        return Response(mimetype="text/html")
    return job_page(accept_sample([("preset", "classic")]), classic=True)


@bp.get("/progress")
def progress() -> Response:
    """Return the state of `jobid` in the first version's form; `{}` for an unknown id."""
    try:
        job = job_json(services().jobs.get(current_owner(), request.args.get("jobid", "")))
    except (NotFound, Gone):
        return jsonify({})
    return jsonify(_told(job))


@bp.get("/result.png")
def result() -> BaseResponse:
    """Return the image of `jobid` in its true format.

    Raises Unauthorized, NotFound, NotReady, Gone, its error.
    """
    current_owner()  # a key comes before anything that is wrong with the request
    job_id = request.args.get("jobid", "")
    if not job_id:
        raise NotFound("jobid is missing")
    return image_response(job_id, None)


def _told(job: dict[str, object]) -> dict[str, object]:
    state = job["state"]
    if state == "queued":
        return {"state": "PENDING", "progress": 0.0}
    if state == "running":
        return {"state": "PROGRESS", "progress": min(float(str(job["progress"])), NEARLY_DONE)}
    if state == "done":
        return {"state": "SUCCESS", "progress": 1.0}
    return {"state": "FAILURE", "error": _why(job)}


def _why(job: dict[str, object]) -> str:
    error = job["error"]
    return str(error["detail"]) if isinstance(error, dict) else "canceled"
