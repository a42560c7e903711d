"""The API, version 1."""

import json
from collections.abc import Iterator

from flask import Blueprint, Response, request

from cropsvc.jobs.presentation import job_json
from cropsvc.jobs.service import error_of
from cropsvc.model.errors import BadParameter, CropError, FieldError
from cropsvc.model.job import Job
from cropsvc.web.allowance import token_for
from cropsvc.web.auth import current_owner
from cropsvc.web.problems import problem_json
from cropsvc.web.responses import image_response, picture, upload_response
from cropsvc.web.services import services
from cropsvc.web.submit import SubmitResult, accept
from cropsvc.web.waits import parse_wait, preferred_wait, wait_of

bp = Blueprint("api", __name__, url_prefix="/v1/crops")


@bp.post("")
def submit() -> Response:
    """202 and the job; the first output's bytes if `Accept` names an image and `wait` is given."""
    answer = accept(with_bytes=_names_image())
    job = answer.job
    if job.is_terminal and answer.waited and _names_image():
        return _for_token(_bytes_of(answer), job)
    response = _job_response(job, answer.preferred, status=202)
    response.headers["Location"] = f"/v1/crops/{job.id}"
    return _for_token(response, job)


@bp.after_request
def vary(response: Response) -> Response:
    """Add what the answer to a submit depends on, a refusal too."""
    if request.method == "POST":
        response.vary.update(["Accept", "Prefer"])
    return response


@bp.get("/<job_id>")
def show(job_id: str) -> Response:
    """Return the job; with `wait`, once it has ended or the time is up."""
    jobs, owner = services().jobs, current_owner()
    given = _wait_argument()
    preferred = preferred_wait() if given is None else None
    seconds = wait_of(given) or 0.0
    return _job_response(jobs.wait(owner, job_id, seconds), preferred)


@bp.get("/<job_id>/image")
def first_image(job_id: str) -> Response:
    """Return the first output's bytes."""
    _no_arguments(but="token")
    return image_response(job_id, None)


@bp.get("/<job_id>/image/<name>")
def image(job_id: str, name: str) -> Response:
    """Return the named output's bytes."""
    _no_arguments(but="token")
    return image_response(job_id, name)


@bp.get("/<job_id>/source")
def source(job_id: str) -> Response:
    """Return the upload's bytes, while they live."""
    _no_arguments()
    return upload_response(job_id)


@bp.get("/<job_id>/events")
def events(job_id: str) -> Response:
    """Server-Sent Events: the job now, each change, its end."""
    _no_arguments(but="token")
    changes = services().jobs.follow(current_owner(), job_id)
    response = Response(_stream(changes), content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


@bp.delete("/<job_id>")
def delete(job_id: str) -> Response:
    """Cancel the job, or remove one that has ended."""
    _no_arguments()
    services().jobs.delete(current_owner(), job_id)
    return Response(status=204)


def _stream(changes: Iterator[Job | None]) -> Iterator[str]:
    try:
        for job in changes:
            if job is None:
                yield ": still here\n\n"
            else:
                event = job.state if job.is_terminal else "progress"
                yield f"event: {event}\ndata: {json.dumps(job_json(job))}\n\n"
    except CropError as error:  # the status is long sent: say in an event why the stream ends
        yield f"event: interrupted\ndata: {json.dumps(problem_json(error))}\n\n"


def _job_response(job: Job, preferred: int | None, status: int = 200) -> Response:
    response = Response(json.dumps(job_json(job)), status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    if not job.is_terminal:
        response.headers["Retry-After"] = str(services().jobs.retry_after(job))
    return _with_preference(response, preferred)


def _bytes_of(answer: SubmitResult) -> Response:
    job = answer.job
    if job.error:
        raise error_of(job.error)
    response = picture(*services().jobs.image_of(job, None, answer.data))
    response.headers["Location"] = f"/v1/crops/{job.id}"
    return _with_preference(response, answer.preferred)


def _for_token(response: Response, job: Job) -> Response:
    """Add a token that reads the job, for a browser that has an upload token only."""
    if token := token_for(job):
        response.headers["Job-Token"] = token
    return response


def _names_image() -> bool:
    """Whether `Accept` names an image range; `*/*` does not count."""
    ranges = request.accept_mimetypes
    return any(kind.lower().startswith("image/") and quality > 0 for kind, quality in ranges)


def _wait_argument() -> float | None:
    _no_arguments(but="wait")
    given = request.args.getlist("wait")
    if len(given) > 1:
        raise BadParameter.of(FieldError("wait", "was given more than once"))
    return parse_wait(given[0]) if given else None


def _no_arguments(but: str = "") -> None:
    unknown = [name for name in request.args if name != but]
    if unknown:
        raise BadParameter.of(
            *(FieldError(name[:64], "is not a parameter here") for name in unknown)
        )


def _with_preference(response: Response, preferred: int | None) -> Response:
    if preferred is not None:
        response.headers["Preference-Applied"] = f"wait={preferred}"
    return response
