"""Calls to other servers, over urllib3 connections that open a socket only to an allowed address.

The check sits where the socket is opened: it sees the very address that is connected to. So
redirects, retries and names that change between two look-ups cannot pass it. The name stays for
the Host header and for TLS.
"""

import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from cropsvc.outbound.addresses import Allowed
from cropsvc.outbound.lookup import look_up
from cropsvc.outbound.target import Target
from cropsvc.outbound.turns import PatientResponse


class AddressForbidden(Exception):
    """A name leads to an address that may not be called."""


@dataclass(frozen=True)
class Call:
    """A request: method, target, headers, and the body if there is one."""

    method: str
    target: Target
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class Route:
    """How a call goes out: to which addresses, through which proxy, and how long it may wait.

    Through a *proxy* the proxy checks the addresses. No variable of the environment names one.
    """

    allowed: Allowed
    proxy: str
    seconds: float  # for the connection, and for each read


@contextmanager
def called(call: Call, route: Route) -> Iterator[urllib3.BaseHTTPResponse]:
    """Yield the answer, its body unread; afterwards its connection is closed.

    It follows no redirect and retries nothing. Raises AddressForbidden and what urllib3 raises.
    """
    manager = pool(route)
    try:
        answer = manager.urlopen(
            call.method,
            call.target.url,
            body=call.body,
            headers=call.headers,
            redirect=False,
            retries=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=route.seconds, read=route.seconds),
        )
        with closing(answer):
            yield answer
    finally:
        manager.clear()


class _Patient(HTTPConnection):
    """Reads answers in turns."""

    response_class = PatientResponse


class _PatientTLS(_Patient, HTTPSConnection):
    """The same under TLS."""


class _Checked(_Patient):
    """Opens a socket to the first address of the host, if all of them are allowed."""

    allowed = Allowed()

    def _new_conn(self) -> socket.socket:
        try:
            found = look_up(self.host, self.port)
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, "the name cannot be looked up") from error
        if not all(self.allowed.takes(str(address[4][0])) for address in found):
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


def pool(route: Route) -> urllib3.PoolManager:
    """Return a pool for one call."""
    manager = urllib3.PoolManager(num_pools=1, maxsize=1)
    plain, tls = (
        type("Plain", (_Checked,), {"allowed": route.allowed}),
        type("TLS", (_CheckedTLS,), {"allowed": route.allowed}),
    )
    if route.proxy:
        manager = urllib3.ProxyManager(route.proxy, num_pools=1, maxsize=1)
        plain, tls = _Patient, _PatientTLS
    manager.pool_classes_by_scheme = {
        "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("TLSPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
    }
    return manager
