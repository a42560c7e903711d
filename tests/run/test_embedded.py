import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from cropsvc.processes.supervisor import Supervisor
from cropsvc.run import ports, valkey
from cropsvc.run.valkey import Embedded
from tests.stack import until


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Path:
    return tmp_path / "with a space"


@pytest.fixture(name="server")
def _server(directory: Path) -> Iterator[Embedded]:
    prepared = valkey.prepare(directory)
    yield prepared
    for descriptor in prepared.program.keep:
        os.close(descriptor)


def answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_what_holds_the_password_is_for_the_owners_eyes_only(
    server: Embedded, directory: Path
) -> None:
    password = server.url.split(":")[2].partition("@")[0]
    holders = [p for p in directory.rglob("*") if p.is_file() and password in p.read_text()]

    assert sorted(p.name for p in holders) == ["redis-url", "valkey.conf"]
    assert {stat.S_IMODE(p.stat().st_mode) for p in holders} == {0o600}
    assert len(password) >= 32


def test_the_server_keeps_its_data_needs_the_password_and_shows_it_to_nobody(
    server: Embedded, directory: Path
) -> None:
    with Supervisor() as supervisor:
        [child] = supervisor.start([server.program])
        client = redis.Redis.from_url(server.url)
        until(lambda: answers(client), seconds=10, what="PING")
        client.set("kept", "yes")
        config = client.config_get("*")
        command_line = " ".join(psutil.Process(child.pid).cmdline())
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=int(config["port"])).ping()
    with Supervisor() as supervisor:
        supervisor.start([server.program])
        until(lambda: answers(client), seconds=10, what="PING after the restart")

        assert client.get("kept") == b"yes"

    assert config["appendonly"] == "yes"
    assert config["appendfsync"] == "everysec"
    assert config["maxmemory-policy"] == "noeviction"
    assert 0 < int(config["maxmemory"]) <= valkey.MOST_MEMORY
    assert config["bind"] == "127.0.0.1"
    assert config["requirepass"] not in command_line


def test_the_port_stays_the_same_unless_it_is_taken(directory: Path) -> None:
    first = _prepare_and_leave(directory)
    assert first == _prepare_and_leave(directory)

    with _listener(first):
        assert _prepare_and_leave(directory) not in (first, 0)


def test_two_servers_never_share_a_directory(server: Embedded, directory: Path) -> None:
    with pytest.raises(valkey.InUse, match="in use by another"):
        valkey.prepare(directory)


def test_the_directory_stays_locked_while_an_orphaned_server_lives(directory: Path) -> None:
    server = valkey.prepare(directory)
    [lock] = server.program.keep
    orphan = subprocess.Popen(["sleep", "60"], pass_fds=[lock])
    os.close(lock)
    try:
        with pytest.raises(valkey.InUse):
            valkey.prepare(directory)
    finally:
        orphan.kill()
        orphan.wait()


def _prepare_and_leave(directory: Path) -> int:
    server = valkey.prepare(directory)
    for descriptor in server.program.keep:
        os.close(descriptor)
    return int(server.url.rpartition(":")[2].partition("/")[0])


def _listener(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))


def test_a_port_in_use_is_refused_with_the_systems_message() -> None:
    port = ports.free()
    assert ports.refusal("127.0.0.1", port) is None

    with _listener(port):
        assert ports.refusal("127.0.0.1", port) == "address already in use"
