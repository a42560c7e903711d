"""`redis+sentinel://`: clients follow the master through a failover."""

import secrets
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from cropsvc.settings.urls import SentinelUrl, sentinel_url
from cropsvc.store import connection
from tests import pictures
from tests.contract.client import Client
from tests.stack import Stack, free_port, until

PASSWORD = secrets.token_urlsafe(8)
CONF = """port {port}
bind 127.0.0.1
dir {directory}
appendonly yes
requirepass {password}
masterauth {password}
maxmemory 200mb
{more}
"""
WATCH = """port {port}
bind 127.0.0.1
dir {directory}
sentinel monitor main 127.0.0.1 {master} 2
sentinel auth-pass main {password}
sentinel down-after-milliseconds main 1000
sentinel failover-timeout main 5000
"""


@dataclass
class Group:
    """A master, a replica and three sentinels."""

    servers: dict[int, subprocess.Popen[bytes]]
    sentinels: list[int]
    master: int

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return f"redis+sentinel://:{PASSWORD}@{hosts}/main/0"

    def client(self, port: int) -> redis.Redis:
        return redis.Redis(port=port, password=PASSWORD, socket_timeout=2)


@pytest.fixture
def group(tmp_path: Path, require: Callable[[str], str]) -> Iterator[Group]:
    program, started = require("redis-server"), []

    def start(name: str, text: str, port: int, *options: str, **more: object) -> None:
        directory = tmp_path / f"{name}-{port}"
        directory.mkdir()
        conf = directory / "redis.conf"
        conf.write_text(text.format(port=port, directory=directory, password=PASSWORD, **more))
        command = [program, str(conf), *options]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))

    ports = [free_port() for _ in range(5)]
    master, replica, *sentinels = ports
    start("server", CONF, master, more="")
    start("server", CONF, replica, more=f"replicaof 127.0.0.1 {master}")
    servers = dict(zip((master, replica), started, strict=True))
    made = Group(servers, sentinels, master)
    until(lambda: _is_linked(made, replica), seconds=20, what="the replica follows the master")
    for port in sentinels:
        start("sentinel", WATCH, port, "--sentinel", master=master)
    until(lambda: _sees_all(sentinels[0]), seconds=20, what="the sentinels know one another")
    yield made
    for process in started:
        process.kill()
        process.wait()


def _is_linked(group: Group, replica: int) -> bool:
    try:
        return group.client(replica).info("replication")["master_link_status"] == "up"
    except redis.RedisError:
        return False


def _sees_all(port: int) -> bool:
    try:
        [state] = redis.Redis(port=port).sentinel_masters().values()
    except (redis.RedisError, ValueError):
        return False
    return state["num-other-sentinels"] == 2 and state["num-slaves"] == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("redis+sentinel://h/m", SentinelUrl((("h", 26379),), "m", None, None, 0, False)),
        (
            "rediss+sentinel://ann:p%40w@h:1,[::1]:2/my-m/3",
            SentinelUrl((("h", 1), ("::1", 2)), "my-m", "ann", "p@w", 3, True),
        ),
        ("redis://h/0", None),
    ],
)
def test_a_sentinel_url_has_its_parts(text: str, expected: SentinelUrl | None) -> None:
    assert sentinel_url(text) == expected


@pytest.mark.parametrize(
    "rest", ["", "h", "h:26379", "/m", "h:0/m", "h:99999/m", "h/m/x", "h h/m", "h/m?x=1", ",/m"]
)
def test_a_sentinel_url_that_cannot_be_used_is_refused(rest: str) -> None:
    with pytest.raises(ValueError, match="must"):
        sentinel_url(f"redis+sentinel://{rest}")


@pytest.mark.timeout(150)
def test_the_service_follows_a_failover_and_loses_no_job(
    group: Group, make_stack: Callable[..., Stack]
) -> None:
    assert connection.for_worker(group.url).ping()
    stack = make_stack(workers=1, redis_url=group.url)
    with Client(stack.url) as api:
        ids = [api.accepted(pictures.unlike(number))["id"] for number in range(20)]
        [replica] = [port for port in group.servers if port != group.master]
        until(
            lambda: group.client(group.master).wait(1, 1000) == 1,
            seconds=10, what="the replica has it all",
        )  # fmt: skip
        group.servers[group.master].kill()
        until(
            lambda: group.client(replica).info("replication")["role"] == "master",
            seconds=30, what="the replica is the master",
        )  # fmt: skip
        until(lambda: api.get("/readyz").status_code == 200, seconds=15, what="ready again")
        for job_id in ids:
            until(
                lambda job_id=job_id: api.get(f"/v1/crops/{job_id}").json()["state"] == "done",
                seconds=30, what="the job is done",
            )  # fmt: skip
        assert api.crop(pictures.unlike(99))["state"] == "done"
