"""Valkey as `make run` starts it, and ours on it: worker.py and gunicorn."""

import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree

from redis import Redis
from redis.exceptions import ConnectionError as NoConnection

from bench.children import Child
from bench.places import ROOT, VAR
from cropsvc.jobs.service import Jobs
from cropsvc.run import ports, valkey
from cropsvc.settings.settings import Settings
from cropsvc.web.app import create_app
from cropsvc.web.services import EXTENSION

PROCESSES = 2  # of every worker that is compared
CAP = 20_000  # jobs that may wait: a drain fills the queue beyond the default


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory for data and logs, on the disk that the checkout is on."""
    VAR.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=VAR))
    try:
        yield directory
    finally:
        rmtree(directory, ignore_errors=True)


@dataclass
class Stage:
    """A Valkey with AOF on, and the programs that were started beside it."""

    directory: Path
    url: str
    client: Redis
    exits: ExitStack
    children: list[Child] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)  # for every program
    checkout: Path = ROOT  # where the programs' code lies

    def start(self, name: str, *command: str, **environ: str) -> Child:
        """Starts a program that is stopped when the stage is left."""
        log = self.directory / f"{name}-{len(self.children)}.log"
        surroundings = {**self.environ, **environ}
        child = Child(name, command, log=log, environ=surroundings, cwd=self.checkout)
        self.children.append(child)
        self.exits.callback(child.stop)
        return child

    def stop(self, child: Child) -> None:
        """Stops a program before the stage is left."""
        self.children.remove(child)
        child.stop()

    def empty(self) -> None:
        """Drops all data, and the log of it."""
        self.client.flushall()
        self.client.bgrewriteaof()
        self.settle()

    def settle(self) -> None:
        """Waits until Valkey has nothing to do any more in the background."""
        while True:
            facts = self.client.info("persistence")
            busy = ("aof_rewrite_in_progress", "aof_rewrite_scheduled", "aof_pending_bio_fsync")
            if not any(int(facts.get(name, 0)) for name in busy):
                return
            time.sleep(0.05)


@contextmanager
def stage() -> Iterator[Stage]:
    """An empty Valkey with the configuration of `make run`."""
    with scratch() as directory, ExitStack() as exits:
        prepared = valkey.prepare(directory)
        program = prepared.program
        log = directory / "valkey.log"
        server = Child("valkey", program.command, log=log, cwd=program.cwd or directory)
        exits.callback(server.stop)
        client = Redis.from_url(prepared.url)
        made = Stage(directory, prepared.url, client, exits, [server])
        server.await_(lambda: _answers(client), "valkey answers")
        yield made


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except NoConnection:
        return False


def environ_of(stage: Stage, **more: str) -> dict[str, str]:
    """The environment of ours: the defaults, but for a larger queue."""
    return {
        "CROPSVC_REDIS_URL": stage.url,
        "CROPSVC_QUEUE_CAP": str(CAP),
        "WORKERS": str(PROCESSES),
        **more,
    }


def start_worker(stage: Stage, **more: str) -> Child:
    """Our worker, WORKERS=2."""
    return stage.start("worker", sys.executable, "worker.py", **environ_of(stage, **more))


def start_web(stage: Stage, *, path: str = "/healthz", **more: str) -> tuple[str, int]:
    """Our front end, as `make run` starts it, once it answers *path*; gives its address."""
    port = ports.free()
    command = (sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app")
    web = stage.start("web", *command, **environ_of(stage, PORT=str(port), **more))
    web.await_(lambda: answers(port, path), f"{path} answers 200")
    return "127.0.0.1", port


def answers(port: int, path: str) -> bool:
    """Whether a GET of *path* gives 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def jobs_of(stage: Stage) -> Jobs:
    """The front end's job service, in this process."""
    app = create_app(Settings.from_env(environ_of(stage)))
    jobs: Jobs = app.extensions[EXTENSION].jobs
    return jobs
