"""gunicorn's gevent worker, with errors as this service writes them, and with turns for all.

gunicorn answers a request that it cannot parse before the application sees it: with HTML, and
without security headers. Every error of this service is a problem (RFC 9457), those too.
"""

import json
from http import HTTPStatus
from typing import Any

import gevent
from gunicorn.http.errors import (
    ConfigurationProblem,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.workers.ggevent import GeventWorker

from cropsvc.model.errors import BadRequest, CropError, Internal
from cropsvc.serving.browser_rules import SECURITY_HEADERS
from cropsvc.serving.turns import bound_chunks

OWN_FAULTS = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)
TOO_LONG = (
    (LimitRequestLine, 414, "the request line is too long; send the parameters as form fields"),
    (LimitRequestHeaders, 431, "the request's headers are too long, or too many"),
)
HEADERS = {
    **SECURITY_HEADERS,
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "no-store",
    "Connection": "close",
    "Content-Type": "application/problem+json",
}


class ProblemWorker(GeventWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Serves the dashboard, and is the base of the front end's worker."""

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Serve one request, then let other clients' run: the next one may be here already."""
        bound_chunks(req)
        super().handle_request(listener_name, req, sock, addr)
        gevent.sleep(0)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that cannot be parsed with a 4xx, any other failure with a 500."""
        if isinstance(exc, ParseException) and not isinstance(exc, OWN_FAULTS):
            self.log.warning("Invalid request from ip=%s: %s", addr[0], exc)
            answer = _refusal(exc)
        else:
            self.log.exception("Error handling request")
            answer = _problem(500, Internal("something failed on the server"))
        try:
            client.sendall(answer)
        except OSError:
            self.log.debug("The client has closed before its error was sent.")


def _refusal(exc: ParseException) -> bytes:
    for kind, status, detail in TOO_LONG:
        if isinstance(exc, kind):
            return _problem(status, BadRequest(detail))
    return _problem(400, BadRequest("the request's first line or its headers cannot be read"))


def _problem(status: int, error: CropError) -> bytes:
    """Return a whole HTTP answer. Nothing of the request stands in it."""
    facts = {
        "type": f"/docs#{error.code}",
        "title": error.title,
        "status": status,
        "detail": error.detail,
        "code": error.code,
    }
    body = json.dumps(facts).encode()
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
    return head.encode("ascii") + body
