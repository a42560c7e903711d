"""The browser tests' network: nothing comes or goes in it, and the thread comes back from it."""

import os
import socket

import pytest

from tests.browser.network import Network


def current() -> int:
    return os.stat("/proc/thread-self/ns/net").st_ino


def test_there_is_nothing_but_loopback_while_it_is_entered(network: Network) -> None:
    if not network.is_own:
        pytest.skip("this user may not make a network namespace")
    other = Network()
    before = current()
    with other.entered():
        assert current() != before
        assert [name for _, name in socket.if_nameindex()] == ["lo"]
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
    assert current() == before
    other.close()
