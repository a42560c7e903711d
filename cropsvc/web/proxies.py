"""Believing X-Forwarded-* from the proxies that the settings trust, and from nobody else."""

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

from cropsvc.settings.settings import Network

FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class TrustedProxies:
    """A WSGI app behind proxies: address, scheme and host as the outermost trusted one saw them."""

    def __init__(self, app: Application, trusted: tuple[Network, ...]) -> None:
        self._app = app
        self._trusted = trusted

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve the request, with what untrusted senders forwarded struck out."""
        hops = self._trusted_hops(environ)
        if not hops:
            for name in FORWARDED:
                environ.pop(name, None)
            return self._app(environ, start_response)
        behind = ProxyFix(self._app, x_for=hops, x_proto=1, x_host=1)
        return behind(environ, start_response)

    def _trusted_hops(self, environ: dict[str, Any]) -> int:
        """Return how many of our proxies the request came through, counted from here outwards."""
        chain = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        hops = 0
        for address in (environ.get("REMOTE_ADDR", ""), *reversed(chain)):
            if not address or not self._is_trusted(address) or hops == len(chain):
                break
            hops += 1
        return hops

    def _is_trusted(self, address: str) -> bool:
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._trusted)
