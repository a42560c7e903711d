"""What is said about a server that can lose jobs, on a real Valkey."""

import logging
from collections.abc import Iterator

import pytest
import redis

from cropsvc.model.limits import Lifetimes
from cropsvc.store import Store, connection
from cropsvc.web import start_check

SAFE = {"maxmemory": "100mb", "maxmemory-policy": "noeviction", "appendonly": "yes", "save": ""}


@pytest.fixture
def configure(client: "redis.Redis") -> Iterator["redis.Redis"]:
    """A client of a server without warnings; as it was again after the test."""
    before = {name: client.config_get(name)[name] for name in SAFE}
    for name, value in SAFE.items():
        client.config_set(name, value)
    yield client
    for name, value in before.items():
        client.config_set(name, value)


def test_a_safe_server_has_no_warning(store: Store, configure: "redis.Redis") -> None:
    assert store.warnings() == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("maxmemory", "0", "no `maxmemory`"),
        ("maxmemory-policy", "allkeys-lru", "`maxmemory-policy allkeys-lru`"),
        ("maxmemory-policy", "volatile-ttl", "`maxmemory-policy volatile-ttl`"),
        ("appendonly", "no", "no persistence"),
    ],
)
def test_each_fault_is_one_warning(
    store: Store, configure: "redis.Redis", name: str, value: str, words: str
) -> None:
    configure.config_set(name, value)
    [warning] = store.warnings()
    assert words in warning


def test_snapshots_are_persistence(store: Store, configure: "redis.Redis") -> None:
    configure.config_set("appendonly", "no")
    configure.config_set("save", "3600 1")
    assert store.warnings() == []


@pytest.fixture
def managed(configure: "redis.Redis", valkey_url: str) -> Iterator["redis.Redis"]:
    """A client whose user may not read the configuration, as on managed servers."""
    configure.acl_setuser("managed", enabled=True, passwords=["+pw"], keys=["*"], commands=[
        "+@all", "-config",
    ])  # fmt: skip
    host = valkey_url.split("@")[1]
    client = connection.for_worker(f"redis://managed:pw@{host}")
    yield client
    client.close()
    configure.acl_deluser("managed")


def test_what_a_managed_server_does_not_tell_is_no_warning(
    managed: "redis.Redis", configure: "redis.Redis"
) -> None:
    store = Store(managed, Lifetimes(60, 30))
    configure.config_set("appendonly", "no")  # snapshots may be on: INFO does not tell
    assert store.warnings() == []
    configure.config_set("maxmemory-policy", "allkeys-lfu")
    assert ["allkeys-lfu" in warning for warning in store.warnings()] == [True]
    configure.acl_setuser("managed", commands=["-info"])
    assert store.warnings() == []


def test_the_start_logs_one_line_for_each_warning(
    store: Store, configure: "redis.Redis", caplog: pytest.LogCaptureFixture
) -> None:
    configure.config_set("maxmemory", "0")
    configure.config_set("maxmemory-policy", "allkeys-lru")
    with caplog.at_level(logging.WARNING, "cropsvc.web.start_check"):
        start_check.check(store)
    no_limit, evicts = caplog.messages
    assert "no `maxmemory`" in no_limit
    assert "allkeys-lru" in evicts
