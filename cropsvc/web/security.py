"""What every answer says to browsers, and which cross-site requests are refused."""

from posixpath import normpath

from flask import Flask, Response, g, request

from cropsvc.model.errors import BadRequest, CrossSite
from cropsvc.serving.browser_rules import READING, SECURITY_HEADERS, is_cross_site
from cropsvc.serving.host_header import BAD_HOST
from cropsvc.web.request_id import HEADER, request_id
from cropsvc.web.services import services

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "manifest-src 'self'"
)
CORS_METHODS = "GET, HEAD, POST, DELETE"
CORS_HEADERS = "Authorization, Content-Type, Idempotency-Key, Prefer, Range, X-Request-Id"
CORS_EXPOSED = (
    "Content-Disposition, ETag, Job-Token, Location, Preference-Applied, Retry-After, X-Request-Id"
)
EMBED = "embed/"  # of the static files: what pages of other sites may load


def install(app: Flask) -> None:
    """Guard every request of *app*, and mark every answer."""
    app.before_request(refuse_cross_site)
    app.after_request(mark)


def refuse_cross_site() -> Response | None:
    """Answer an allowed origin's preflight.

    Raises CrossSite for another site's preflight, and for a change that another site asks for.
    """
    if BAD_HOST in request.environ:
        raise BadRequest("the Host header is not a host name; send the name of this service")
    origin = request.headers.get("Origin")
    allowed = origin is not None and origin in services().settings.cors_origins
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        return _preflight(origin, allowed=allowed)
    if request.method in READING or allowed:
        return None
    if is_cross_site(origin, request.host, request.headers.get("Sec-Fetch-Site")):
        site = f"the site {origin[:200]!r}" if origin else "another site"
        raise CrossSite(
            f"{request.method} from {site} is not allowed: this service is {request.host[:200]!r}. "
            "Behind a proxy, pass the Host header on, or set CROPSVC_TRUSTED_PROXIES and send "
            "X-Forwarded-Host; other sites need CROPSVC_CORS_ORIGINS"
        )
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
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    if "token" in g and "token" in request.args:  # the URL alone is the right: no cookie counts
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    _cors(response)
    if _is_embeddable():
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _is_embeddable() -> bool:
    """Return whether the request is for the web component, which holds nothing private."""
    name = (request.view_args or {}).get("filename", "")
    return request.endpoint == "static" and normpath(name).startswith(EMBED)


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
