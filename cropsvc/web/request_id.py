"""One id for a request's answer, its log line, and the job that it makes."""

import re
import secrets

from flask import g, request

HEADER = "X-Request-Id"


def request_id() -> str:
    """Return the caller's X-Request-Id if it is a plain one, else a new one."""
    if "request_id" not in g:
        given = request.headers.get(HEADER, "")
        g.request_id = given if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", given) else _new()
    return str(g.request_id)


def _new() -> str:
    return secrets.token_hex(8)
