"""One log line for each request: no bodies, no queries, no file names."""

import time

import structlog
from flask import Flask, Response, g, request

from cropsvc.web.problems import problem_code
from cropsvc.web.request_id import request_id

log = structlog.get_logger("cropsvc.web")
QUIET = ("/healthz", "/readyz", "/metrics")  # asked by machines every few seconds


def install(app: Flask) -> None:
    """Log what *app* answers."""
    app.before_request(_begin)
    app.after_request(_log_request)


def _begin() -> None:
    g.began = time.perf_counter()


def _log_request(response: Response) -> Response:
    write = log.debug if request.path in QUIET else log.info
    write(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        code=problem_code(),
        ms=round((time.perf_counter() - g.began) * 1000, 1),
        bytes=response.content_length,
        owner=g.get("owner"),
        request=request_id(),
    )
    return response
