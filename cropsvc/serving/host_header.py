"""Replaces a `Host` that is none, so that what builds URLs of it never fails."""

import re
from collections.abc import Callable, Iterable
from typing import Any

BAD_HOST = "cropsvc.bad_host"  # in the environ where the header was replaced
HOST = re.compile(r"(?:[A-Za-z0-9._~-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])?(?::[0-9]{0,5})?")
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class CheckedHost:
    """A WSGI app that sees only well-formed host names; BAD_HOST marks the other requests."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve the request."""
        if not HOST.fullmatch(environ.get("HTTP_HOST", "")):
            environ["HTTP_HOST"] = "invalid"
            environ[BAD_HOST] = True
        return self._app(environ, start_response)
