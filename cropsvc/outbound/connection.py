"""urllib3 connections that open a socket only to an allowed address.

The check sits where the socket is opened: it sees the very address that is connected to. So
redirects, retries and names that change between two look-ups cannot pass it. The name stays for
the Host header and for TLS.
"""

import socket
from collections.abc import Iterable
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from cropsvc.outbound.addresses import Network, is_allowed


class AddressForbidden(Exception):
    """A name leads to an address that may not be called."""


class _Checked(HTTPConnection):
    """Opens a socket to the first address of the host, if all of them are allowed."""

    networks: tuple[Network, ...] = ()

    def _new_conn(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, "the name cannot be looked up") from error
        if not all(is_allowed(str(address[4][0]), self.networks) for address in found):
            raise AddressForbidden
        return self._connected(found)

    def _connected(self, found: Iterable[Any]) -> socket.socket:
        trouble: OSError | None = None
        for family, kind, protocol, _, address in found:
            wire = socket.socket(family, kind, protocol)
            try:
                wire.settimeout(self.timeout if isinstance(self.timeout, int | float) else None)
                wire.connect(address)
            except OSError as error:
                wire.close()
                trouble = error
            else:
                return wire
        if isinstance(trouble, TimeoutError):
            raise ConnectTimeoutError(self, "no answer") from trouble
        raise NewConnectionError(self, "no connection") from trouble


class _CheckedTLS(_Checked, HTTPSConnection):
    """The same under TLS."""


def pool(networks: tuple[Network, ...], proxy: str = "") -> urllib3.PoolManager:
    """Return a pool whose connections go to public addresses and to *networks* only.

    Through a *proxy* the proxy checks the addresses. No variable of the environment names one.
    """
    if proxy:
        return urllib3.ProxyManager(proxy, num_pools=1, maxsize=1)
    plain = type("Plain", (_Checked,), {"networks": networks})
    tls = type("TLS", (_CheckedTLS,), {"networks": networks})
    manager = urllib3.PoolManager(num_pools=1, maxsize=1)
    manager.pool_classes_by_scheme = {
        "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("TLSPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
    }
    return manager
