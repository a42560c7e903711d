"""What every answer says to browsers, and which cross-site requests are refused."""

from urllib.parse import urlsplit

from flask import Flask, Response, request

from cropsvc.model.errors import CrossSite
from cropsvc.web.request_id import HEADER, request_id
from cropsvc.web.services import services

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "manifest-src 'self'"
)
READING = ("GET", "HEAD", "OPTIONS")
CORS_METHODS = "GET, HEAD, POST, DELETE"
CORS_HEADERS = "Authorization, Content-Type, Idempotency-Key, Prefer, Range, X-Request-Id"
CORS_EXPOSED = "Content-Disposition, ETag, Location, Preference-Applied, Retry-After, X-Request-Id"


def install(app: Flask) -> None:
    """Guards every request of *app* and marks every answer."""
    app.before_request(refuse_cross_site)
    app.after_request(mark)


def refuse_cross_site() -> Response | None:
    """Answers an allowed origin's preflight. Raises CrossSite for another site's, and for what
    another site's page would change.
    """
    origin = request.headers.get("Origin")
    allowed = origin is not None and origin in services().settings.cors_origins
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        return _preflight(origin, allowed=allowed)
    if request.method in READING or allowed:
        return None
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise CrossSite(f"{request.method} from the site {origin[:200]!r} is not allowed")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise CrossSite(f"{request.method} from another site is not allowed")
    return None


def _preflight(origin: str | None, *, allowed: bool) -> Response:
    if allowed:
        return Response(status=204)
    method = request.headers["Access-Control-Request-Method"]
    site = f"the site {origin[:200]!r}" if origin else "a site without a name"
    raise CrossSite(f"{method[:200]} from {site} is not allowed")


def mark(response: Response) -> Response:
    """Add the security headers, the request's id, and CORS for allowed origins."""
    headers = response.headers
    headers[HEADER] = request_id()
    headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    # not no-referrer: browsers would then send our forms with `Origin: null`
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    _cors(response)
    return response


def _cors(response: Response) -> None:
    if not services().settings.cors_origins:
        return
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin not in services().settings.cors_origins:
        return
    headers = response.headers
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Expose-Headers"] = CORS_EXPOSED
    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if request.method == "OPTIONS":
        headers["Access-Control-Allow-Methods"] = CORS_METHODS
        headers["Access-Control-Allow-Headers"] = CORS_HEADERS
        headers["Access-Control-Max-Age"] = "600"
