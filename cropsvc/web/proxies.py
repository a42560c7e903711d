"""Believing X-Forwarded-* from the proxies that the settings trust, and from nobody else."""

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

from cropsvc.settings.settings import Network

FOR = "HTTP_X_FORWARDED_FOR"
FORWARDED = (FOR, "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class TrustedProxies:
    """A WSGI app behind proxies: address, scheme and host as the outermost trusted one saw them."""

    def __init__(self, app: Application, trusted: tuple[Network, ...]) -> None:
        self._app = app
        self._trusted = trusted

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve the request, with what untrusted senders forwarded struck out."""
        chain = [_without_port(part) for part in environ.get(FOR, "").split(",")]
        hops = self._trusted_hops(environ.get("REMOTE_ADDR", ""), chain)
        if not hops:
            for name in FORWARDED:
                environ.pop(name, None)
            return self._app(environ, start_response)
        environ[FOR] = ",".join(chain)
        behind = ProxyFix(self._app, x_for=hops, x_proto=1, x_host=1)
        return behind(environ, start_response)

    def _trusted_hops(self, peer: str, chain: list[str]) -> int:
        """Return how many of our proxies the request came through, counted from here outwards."""
        hops = 0
        for address in (peer, *reversed(chain)):
            if not address or not self._is_trusted(address) or hops == len(chain):
                break
            hops += 1
        return hops

    def _is_trusted(self, address: str) -> bool:
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(ip, "ipv4_mapped", None)  # so a socket for both kinds shows an IPv4 peer
        return any((mapped or ip) in network for network in self._trusted)


def _without_port(text: str) -> str:
    """Return an address of X-Forwarded-For; some proxies add the client's port."""
    text = text.strip()
    match = re.fullmatch(r"\[([^\]]*)\](?::\d+)?|([^:]*):\d+", text)
    return (match[1] or match[2] or "") if match else text
