"""The pages: choose and crop an image, and one page for each job."""

import json
import re
from collections.abc import Callable

from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from cropsvc.imaging import extras, formats
from cropsvc.jobs.presentation import job_json
from cropsvc.model.job import Job
from cropsvc.web.auth import current_owner
from cropsvc.web.services import services
from cropsvc.web.submit import accept

INDENT = re.compile(r"\n\s+")  # a fifth of the page's bytes, and browsers show none of it

bp = Blueprint("pages", __name__)


@bp.get("/")
def index() -> Response:
    """Return the start page. Raises Unauthorized, whose page asks for the key."""
    current_owner()
    return job_page(None)


@bp.post("/crops")
def submit() -> BaseResponse:
    """Return the plain form's target: 303 to the new job's page."""
    job = accept(strict=False).job
    return redirect(url_for("pages.show", job_id=job.id), code=303)


@bp.get("/crops/<job_id>")
def show(job_id: str) -> Response:
    """Return the page of one job. Raises NotFound, Expired, Deleted."""
    job = services().jobs.get(current_owner(), job_id)
    return job_page(job)


@bp.app_template_filter("duration")
def duration(seconds: int, t: Callable[..., str]) -> str:
    """Seconds in the largest unit that divides them, as *t* says it: `15 minutes`."""
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return t(f"page.{name}{'s' * (count > 1)}", count=count)
    return t(f"page.second{'s' * (seconds != 1)}", count=seconds)


def job_page(job: Job | None, *, classic: bool = False) -> Response:
    """Return the page with this job and what it was asked for, or without one."""
    html = render_template(
        "index.html",
        job=job_json(job) if job else None,
        asked={"outputs": json.loads(job.request), "name": job.file_name} if job else None,
        classic=classic,
        settings=services().settings,
        presets=services().presets,
        formats=formats,
        faces=extras.is_installed("faces"),
        heif=extras.is_installed("heif"),
    )
    response = make_response(INDENT.sub("\n", html))
    response.headers["Cache-Control"] = "private, no-store"
    return response
