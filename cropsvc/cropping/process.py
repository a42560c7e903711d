"""The worker's side of the crop process: start it, send it jobs, kill it, renew it."""

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socketpair
from typing import Any

from cropsvc.model.job import JobRef

STORE_LOST = "store-lost"
"""A reply's state: the crop process could not use the store, and the job must be sent again."""

TICK_SECONDS = 0.25  # how often `on_tick` is called
OOM_SECONDS = 1.0  # how old the count of OOM kills before a job may be: it takes the kernel 30 us
RENEW_AFTER_JOBS = 10_000
RENEW_ABOVE_BYTES = 400 * 1024**2  # resident size of an idle crop process


@dataclass(frozen=True)
class SandboxConfig:
    """The settings of a crop process. Memory in bytes, times in seconds."""

    redis_url: str
    memory: int
    seconds: int
    result_ttl: int
    source_ttl: int
    limits: tuple[int, int, int, int, int]  # those of `Limits`, in their order
    blobs: str = "redis"  # where bytes lie: the setting


@dataclass(frozen=True)
class Reply:
    """How a job went: the state it has now, and the error's code and detail if it failed."""

    state: str  # done, failed, canceled, STORE_LOST, or a BeginVerdict that is not STARTED
    code: str = ""
    detail: str = ""
    trace: str = ""  # came with the job: see observability/trace_context.py
    marks: Sequence[tuple[str, float]] = ()  # of a traced job: when each stage began
    needs_restart: bool = (
        False  # a codec that failed may keep memory: the next job gets a fresh process
    )


class CropProcessDied(Exception):
    """The crop process ended during a job."""

    def __init__(self, status: int, *, out_of_memory: bool) -> None:
        super().__init__(f"the crop process ended with status {status}")
        self.status = status  # negative: the signal
        self.out_of_memory = out_of_memory

    @property
    def cause(self) -> str:
        """The signal's name, or the exit status."""
        return signal.Signals(-self.status).name if self.status < 0 else f"exit-{self.status}"


class JobTimeout(Exception):
    """The job took longer than the job timeout, and its crop process was killed."""


@dataclass(frozen=True)
class _Child:
    process: subprocess.Popen[bytes]
    pipe: Connection
    poller: select.poll  # kept: `Connection.poll` makes a new one at each call

    def send(self, message: dict[str, Any]) -> None:
        self.pipe.send_bytes(json.dumps(message).encode())

    def has_news(self, seconds: float) -> bool:
        return bool(self.poller.poll(seconds * 1000))


class CropProcess:
    """One warm crop process after another; at most one at a time."""

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self._child: _Child | None = None
        self._jobs = 0
        self._ooms = 0
        self._ooms_due = 0.0

    @property
    def pid(self) -> int:
        """The crop process's id; 0 when none runs."""
        return self._child.process.pid if self._child else 0

    def start(self) -> None:
        """Start the crop process, unless one runs."""
        self._living()

    def send(self, ref: JobRef, upload_from: str) -> None:
        """Send a job, which begins at once. Raises CropProcessDied."""
        child = self._living()
        if time.monotonic() >= self._ooms_due:
            self._ooms = _oom_kills()
            self._ooms_due = time.monotonic() + OOM_SECONDS
        try:
            child.send({"owner": ref.owner, "id": ref.id, "source_home": upload_from})
        except OSError:
            raise self._reap(child) from None

    def wait(
        self,
        seconds: float,
        on_progress: Callable[[str, float], None],
        on_tick: Callable[[], None],
    ) -> Reply:
        """Return the reply to the job that was sent.

        *on_progress* gets the stage and the fraction that is done; *on_tick* is called often.
        The time that they take does not count: they use a store that may hang.
        Raises CropProcessDied, or JobTimeout after *seconds*.
        """
        child = self._living()
        began = time.monotonic()
        deadline, tick = began + seconds, began + TICK_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            message = self._heard(child, min(TICK_SECONDS, left))
            if message and "stage" not in message:
                return self._done(child, Reply(**message))
            asked = time.monotonic()
            if message:
                on_progress(message["stage"], message["fraction"])
            if asked >= tick:
                on_tick()
                tick = time.monotonic() + TICK_SECONDS
            deadline += time.monotonic() - asked
        self._reap(child)
        raise JobTimeout

    def _heard(self, child: _Child, seconds: float) -> dict[str, Any] | None:
        """Return the next message, or None after *seconds*. Raises CropProcessDied."""
        try:
            return json.loads(child.pipe.recv_bytes()) if child.has_news(seconds) else None
        except (EOFError, OSError):
            raise self._reap(child) from None

    def kill(self) -> None:
        """Kill the crop process, from any thread. `wait` then raises CropProcessDied."""
        child = self._child
        if child:
            child.process.kill()

    def stop(self) -> None:
        """Kill the crop process, and wait for its end."""
        if self._child:
            self._reap(self._child)

    def _living(self) -> _Child:
        if self._child is None:
            self._child = self._started()
            self._jobs = 0
        return self._child

    def _started(self) -> _Child:
        ours, theirs = socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - this interpreter and package
                [sys.executable, "-m", "cropsvc.cropping.sandbox", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        pipe = Connection(ours.detach())
        poller = select.poll()
        poller.register(pipe, select.POLLIN)
        child = _Child(process, pipe, poller)
        child.send({"parent": os.getpid(), **asdict(self._config)})
        return child

    def _done(self, child: _Child, reply: Reply) -> Reply:
        self._jobs += 1
        if reply.needs_restart or self._is_due_for_renewal():
            self._reap(child)
            self.start()
        return reply

    def _is_due_for_renewal(self) -> bool:
        return self._jobs % 50 == 0 and (
            self._jobs >= RENEW_AFTER_JOBS or _resident_bytes(self.pid) > RENEW_ABOVE_BYTES
        )

    def _reap(self, child: _Child) -> CropProcessDied:
        child.process.kill()  # the pipe may have broken before the process did
        child.pipe.close()
        status = child.process.wait()
        self._child, self._ooms_due = None, 0.0
        was_oom = status == -signal.SIGKILL and _oom_kills() > self._ooms
        return CropProcessDied(status, out_of_memory=was_oom)


def _oom_kills() -> int:
    """Return how many processes of this container the OOM killer has ended (cgroup v2)."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/sys/fs/cgroup/memory.events").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def _resident_bytes(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    return 0
