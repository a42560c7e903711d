"""`redis+sentinel://`: clients follow the master through a failover."""

import itertools
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
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
    """A master, two replicas and three sentinels."""

    servers: dict[int, subprocess.Popen[bytes]]
    sentinels: list[int]
    master: int

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return f"redis+sentinel://:{PASSWORD}@{hosts}/main/0"

    def client(self, port: int) -> redis.Redis:
        return redis.Redis(port=port, password=PASSWORD, socket_timeout=2)

    def new_master(self) -> int | None:
        """The replica that is the master now, if any."""
        replicas = [port for port in self.servers if port != self.master]
        return next((port for port in replicas if self._role(port) == "master"), None)

    def _role(self, port: int) -> str:
        try:
            return str(self.client(port).info("replication")["role"])
        except redis.RedisError:
            return ""


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

    master, *replicas = ports = [free_port() for _ in range(3)]
    sentinels = [free_port() for _ in range(3)]
    start("server", CONF, master, more="")
    for port in replicas:
        start("server", CONF, port, more=f"replicaof 127.0.0.1 {master}")
    made = Group(dict(zip(ports, started, strict=True)), sentinels, master)
    until(
        lambda: all(_is_linked(made, port) for port in replicas),
        seconds=20, what="the replicas follow the master",
    )  # fmt: skip
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
    return state["num-other-sentinels"] == 2 and state["num-slaves"] == 2


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


class Load(threading.Thread):
    """Submits one job after another, and notes those that a replica has."""

    def __init__(self, group: Group, url: str) -> None:
        super().__init__(daemon=True)
        self._group, self._url, self._master = group, url, group.client(group.master)
        self.over = threading.Event()
        self.accepted: list[str] = []
        self.replicated: list[str] = []

    def run(self) -> None:
        with Client(self._url) as api:
            for number in itertools.count():
                if self.over.wait(0.02):
                    return
                with suppress(httpx.TransportError):
                    answer = api.submit(pictures.unlike(number))
                    if answer.status_code == 202:
                        self._note(answer.json()["id"])

    def _note(self, job_id: str) -> None:
        self.accepted.append(job_id)
        if self._group.servers[self._group.master].poll() is not None:
            return  # killed
        with suppress(redis.RedisError):
            # A replica that has this write has all before it, and sentinels choose the one
            # that has most.
            self._master.set("test:marker", job_id)
            if self._master.wait(1, 500) >= 1:
                self.replicated.append(job_id)


@pytest.mark.timeout(150)
def test_the_service_follows_a_failover_under_load_and_loses_no_replicated_job(
    group: Group, make_stack: Callable[..., Stack]
) -> None:
    assert connection.for_worker(group.url).ping()
    stack = make_stack(workers=1, redis_url=group.url)
    load = Load(group, stack.url)
    load.start()
    with Client(stack.url) as api:
        until(lambda: len(load.replicated) >= 20, seconds=30, what="jobs are replicated")
        group.servers[group.master].kill()
        until(group.new_master, seconds=30, what="a replica is the master")
        began, before = time.monotonic(), len(load.accepted)
        until(lambda: api.get("/readyz").status_code == 200, seconds=15, what="ready again")
        until(lambda: len(load.accepted) > before, seconds=15, what="a job is accepted again")
        back = time.monotonic() - began
        until(lambda: len(load.accepted) > before + 10, seconds=30, what="more jobs are accepted")
        load.over.set()
        load.join()
        for job_id in [*load.replicated, load.accepted[-1]]:
            until(
                lambda job_id=job_id: api.get(f"/v1/crops/{job_id}").json().get("state") == "done",
                seconds=30, what=f"job {job_id} is done",
            )  # fmt: skip
        lost = sum(api.get(f"/v1/crops/{one}").status_code != 200 for one in load.accepted)
    print(  # noqa: T201 - the figures, for pytest -s
        f"{len(load.accepted)} accepted, {len(load.replicated)} known to be replicated, {lost} of "
        f"the others lost; back {back:.1f} s after the new master"
    )
