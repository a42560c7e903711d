"""One line for each request: no query, no header, no body."""

import time

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger("cropsvc.dashboard")


def install(app: Flask) -> None:
    """Log every request of *app*, refused ones too; install it before what refuses."""
    app.before_request(begin)
    app.after_request(log_request)


def begin() -> None:
    """Note when the request came."""
    g.began = time.monotonic()


def log_request(response: Response) -> Response:
    """Log how the request was answered."""
    log.info(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        ms=round((time.monotonic() - g.began) * 1000, 1),
        client=request.remote_addr,
    )
    return response
