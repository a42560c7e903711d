"""Who may ask the dashboard for what: password, Host, Origin, methods, headers."""

import hmac
from dataclasses import dataclass

from flask import Flask, Response, abort, request
from werkzeug.exceptions import MethodNotAllowed

from cropsvc.dashboard.address import is_loopback
from cropsvc.serving.browser_rules import (
    READING,
    SECURITY_HEADERS,
    host_name,
    is_cross_site,
)
from cropsvc.serving.host_header import BAD_HOST, CheckedHost
from cropsvc.settings.settings import Settings

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, **SECURITY_HEADERS}
CHANGING = {"rq_dashboard.requeue_all"}  # upstream answers a GET to it, too
LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Guard:
    """Asks for user and password; without them it serves this machine only, by its own names."""

    user: bytes
    password: bytes
    names: frozenset[str]

    @classmethod
    def of(cls, settings: Settings) -> "Guard":
        """Return the guard that the settings ask for."""
        return cls(
            _bytes(settings.dashboard_user),
            _bytes(settings.dashboard_password),
            frozenset(LOCAL_NAMES | {settings.bind.lower()}),
        )

    def install(self, app: Flask) -> None:
        """Guard every request of *app*, static files and unknown addresses too."""
        app.wsgi_app = CheckedHost(app.wsgi_app)  # type: ignore[method-assign]  # Flask's way
        app.before_request(self.check)
        app.after_request(mark)

    def check(self) -> Response | None:
        """Refuse what must not pass; nothing of the request was acted on before."""
        if BAD_HOST in request.environ:
            abort(400, "the Host header is not a host name")
        if self.password:
            if not self._knows_password():
                return _login()
        else:
            self._check_local()
        if request.method not in READING:
            _check_same_site()
        elif request.endpoint in CHANGING and request.method != "OPTIONS":
            raise MethodNotAllowed(["POST"], "changes are made with POST")
        return None

    def _knows_password(self) -> bool:
        given = request.authorization
        if given is None or given.type != "basic":
            return False
        user = hmac.compare_digest(_bytes(given.username or ""), self.user)
        password = hmac.compare_digest(_bytes(given.password or ""), self.password)
        return user & password

    def _check_local(self) -> None:
        if not is_loopback(request.remote_addr or ""):
            abort(403, "without a password the dashboard serves its own machine only")
        # A foreign name for this address is a page that rebinds DNS to reach what it may not.
        if host_name(request.host) not in self.names:
            abort(403, "without a password the dashboard is reached as localhost only")


def _check_same_site() -> None:
    site = request.headers.get("Sec-Fetch-Site")
    if is_cross_site(request.headers.get("Origin"), request.host, site) or site == "none":
        abort(403, "a change that another site asks for is refused")


def _login() -> Response:
    challenge = 'Basic realm="cropsvc dashboard", charset="UTF-8"'
    return Response(
        "user and password are needed", 401, {"WWW-Authenticate": challenge}, mimetype="text/plain"
    )


def mark(response: Response) -> Response:
    """Add the security headers; what jobs hold is never cached."""
    response.headers.extend(HEADERS)
    if not (request.endpoint or "").endswith("static"):
        response.headers["Cache-Control"] = "no-store"
    return response


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")  # compare_digest takes no other than ASCII text
