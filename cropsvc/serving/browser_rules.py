"""Headers for browsers, and which requests come from another site: front end and dashboard."""

from urllib.parse import urlsplit

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not no-referrer: browsers would then send our forms with `Origin: null`
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
READING = ("GET", "HEAD", "OPTIONS")


def is_cross_site(origin: str | None, host: str, fetch_site: str | None) -> bool:
    """Return whether a request's `Origin` or `Sec-Fetch-Site` says that another site made it.

    An origin that is not a URL belongs to another site, too.
    """
    if origin is not None and _host_and_port(origin) != host:
        return True
    return fetch_site not in (None, "same-origin", "none")


def host_name(host: str) -> str | None:
    """Return the name or address in a `Host` header, without its port; None if it is malformed."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _host_and_port(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
