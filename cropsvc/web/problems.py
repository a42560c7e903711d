"""Every error as one: problem+json (RFC 9457) for programs, a page for people."""

import json
import logging
from dataclasses import asdict
from typing import cast

from flask import Flask, Response, g, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from cropsvc.model import errors
from cropsvc.model.errors import CropError
from cropsvc.store import StoreFull, StoreUnavailable

log = logging.getLogger(__name__)

OF_STATUS: dict[int, type[CropError]] = {
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.TooLarge,
    415: errors.UnsupportedFormat,
    416: errors.RangeNotSatisfiable,
}
RETRY_STORE = 2  # seconds
PAGES = ("/crops", "/login", "/logout", "/image_page")


def install(app: Flask) -> None:
    """Make *app* answer every error in the contract's form."""
    app.register_error_handler(CropError, answer)
    app.register_error_handler(StoreUnavailable, _store_trouble)
    app.register_error_handler(HTTPException, _of_framework)
    app.register_error_handler(Exception, _bug)


def answer(error: CropError) -> Response:
    """Return the error as a response: its status, its text, its headers."""
    g.problem = error.code
    response = _page(error) if _is_for_people() else _problem(error)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.Unauthorized):
        response.headers["WWW-Authenticate"] = 'Bearer realm="cropsvc"'
    response.headers["Cache-Control"] = "no-store"
    return response


def problem_code() -> str | None:
    """Return the code of the error that this request was answered with, if it was one."""
    return cast(str | None, g.get("problem"))


def problem_json(error: CropError) -> dict[str, object]:
    """Return the error as problem details (RFC 9457)."""
    body: dict[str, object] = {
        "type": f"/docs#{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
    }
    if error.errors:
        body["errors"] = [asdict(one) for one in error.errors]
    return body


def _problem(error: CropError) -> Response:
    body = json.dumps(problem_json(error))
    return Response(body, error.status, content_type="application/problem+json")


def _page(error: CropError) -> Response:
    html = render_template(
        "error.html",
        title=error.title,
        detail=error.detail,
        code=error.code,
        status=error.status,
    )
    return Response(html, error.status, content_type="text/html; charset=utf-8")


def _is_for_people() -> bool:
    return request.path == "/" or request.path.startswith(PAGES)


def _store_trouble(error: StoreUnavailable) -> Response:
    log.error("the store cannot be used: %s", error)
    if isinstance(error, StoreFull):
        return answer(errors.Busy("memory for uploads is short; try again later", retry_after=5))
    return answer(
        errors.Unavailable(
            "the store cannot be used at the moment; try again", retry_after=RETRY_STORE
        )
    )


def _of_framework(error: HTTPException) -> Response:
    status = error.code or 500
    kind = OF_STATUS.get(status, errors.BadRequest if 400 <= status < 500 else errors.Internal)
    response = answer(kind(_detail(status)))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    for name, value in error.get_headers():
        if name in ("Content-Range", "Location"):
            response.headers[name] = value
    return response


def _detail(status: int) -> str:
    path = request.path[:200]
    return {
        404: f"there is nothing at {path}",
        405: f"{request.method} is not a method of {path}",
        416: "the range lies outside the image's bytes",
    }.get(status, "the request cannot be understood")


def _bug(error: Exception) -> Response:
    log.exception("a bug, at %s %s", request.method, request.path)
    return answer(errors.Internal("something went wrong here; it was noted"))
