"""Hosts that others name are looked up in threads of their own.

gevent looks up all names of a process in the same ten threads, that of Redis too. A few names
whose server is slow would occupy them, and no connection to Redis could be made for so long.
"""

import socket
from functools import cache
from typing import Any

from gevent import get_hub, monkey
from gevent.threadpool import ThreadPool

AT_ONCE = 16
Found = list[tuple[Any, ...]]


def look_up(host: str, port: int) -> Found:
    """Return what `getaddrinfo` finds for a TCP connection. Raises OSError, UnicodeError."""
    if not monkey.is_module_patched("socket"):
        return _found(socket.getaddrinfo, host, port)
    # Each of the threads is one lookup: a request waits here until one is free.
    found: Found = _threads().apply(
        _found, (monkey.get_original("socket", "getaddrinfo"), host, port)
    )
    return found


def _found(getaddrinfo: Any, host: str, port: int) -> Found:
    found: Found = getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return found


@cache
def _threads() -> ThreadPool:
    _ = get_hub().resolver  # registers `gaierror` as one that the hub does not print
    return ThreadPool(AT_ONCE)
