"""The tests' own stack: what the other tests lean on."""

import signal
import time
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.stack import Part, Stack, StackError, until


@pytest.fixture
def store(tmp_path: Path):
    stack = Stack(tmp_path)
    stack.start_valkey()
    yield stack
    assert stack.stop() == []


def test_valkey_asks_for_its_password(store: Stack) -> None:
    bare = redis.Redis(port=store.valkey_port, retry=Retry(NoBackoff(), 0))
    with pytest.raises(redis.AuthenticationError):
        bare.ping()


def test_valkey_is_set_as_in_production(store: Stack) -> None:
    told = store.redis().config_get("append*")
    assert told["appendonly"] == "yes"
    assert store.redis().config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_valkey_keeps_its_data_over_a_kill(store: Stack) -> None:
    store.redis().set("kept", "1")
    store.kill(store.valkey)
    with pytest.raises(redis.ConnectionError):
        store.redis().ping()
    store.start_valkey()
    assert store.redis().get("kept") == b"1"


def test_settings_become_variables_and_the_outer_ones_stay_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROPSVC_SECRET", "of the shell")
    environ = Stack(tmp_path, queue_cap=3, workers=1)._environ({"queue_cap": 3, "workers": 1})
    assert environ["CROPSVC_QUEUE_CAP"] == "3"
    assert environ["WORKERS"] == "1"
    assert "CROPSVC_SECRET" not in environ


def test_stop_names_and_ends_what_a_part_left_behind(store: Stack) -> None:
    shell = "setsid sleep 60 & exec sleep 60"
    environ = store._environ({}) | {"PATH": "/usr/bin:/bin"}
    store.worker = Part("worker", ["sh", "-c", shell], environ=environ, log=store.worker.log)
    store.worker.start()
    until(lambda: len(store.processes()) == 3, seconds=5, what="valkey and two sleeps")
    left = store.stop(seconds=1)
    assert len(left) == 1
    assert "sleep 60" in left[0]
    until(lambda: not store.processes(), seconds=5, what="nothing is left")


def test_a_part_that_ends_by_itself_fails_the_start_at_once_with_its_log(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    stack.valkey = Part(
        "valkey", ["sh", "-c", "echo why it died"], environ={}, log=stack.valkey.log
    )
    started = time.monotonic()
    with pytest.raises(StackError, match="why it died"):
        stack.start()
    assert time.monotonic() - started < 5
    assert stack.processes() == []


def test_kill_waits_for_the_end(store: Stack) -> None:
    store.kill(store.valkey, signal.SIGTERM)
    assert not store.valkey.running
