"""The worker's side of the crop process: start it, hand it jobs, kill it, renew it."""

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

TICK_SECONDS = 0.25  # how often a waiting worker looks up
RENEW_AFTER_JOBS = 10_000
RENEW_ABOVE_BYTES = 400 * 1024**2  # resident size of an idle crop process


@dataclass(frozen=True)
class SandboxConfig:
    """What a crop process is told at its start. Memory in bytes, times in seconds."""

    redis_url: str
    memory: int
    seconds: int
    result_ttl: int
    source_ttl: int
    limits: tuple[int, int, int, int]  # pixels, frames, scans, side


@dataclass(frozen=True)
class Reply:
    """How a job went: the state it has now, the error's code and words if it failed."""

    state: str  # done, failed, over (it had ended before), spent (too many runs), lost (no store)
    code: str = ""
    detail: str = ""
    trace: str = ""  # came with the job: see tracing.py
    marks: Sequence[tuple[str, float]] = ()  # of a traced job: what began when
    needs_restart: bool = (
        False  # codecs that gave up may keep memory: the next job gets a fresh process
    )


class CropProcessDied(Exception):
    """The crop process ended in the middle of a job."""

    def __init__(self, status: int, *, out_of_memory: bool) -> None:
        super().__init__(f"the crop process ended with status {status}")
        self.status = status  # negative: the signal
        self.out_of_memory = out_of_memory

    @property
    def cause(self) -> str:
        """The signal's name, or the exit status."""
        return signal.Signals(-self.status).name if self.status < 0 else f"exit-{self.status}"


class JobTimeout(Exception):
    """The job took longer than its limit, and its crop process was killed."""


@dataclass(frozen=True)
class _Child:
    process: subprocess.Popen[bytes]
    pipe: Connection
    poller: select.poll  # kept: the pipe's own would be made anew at each look

    def send(self, message: dict[str, Any]) -> None:
        self.pipe.send_bytes(json.dumps(message).encode())

    def has_news(self, seconds: float) -> bool:
        return bool(self.poller.poll(seconds * 1000))


class CropProcess:
    """One warm crop process after another; at most one at a time."""

    def __init__(self, confines: SandboxConfig) -> None:
        self._confines = confines
        self._child: _Child | None = None
        self._jobs = 0
        self._ooms = 0

    @property
    def pid(self) -> int:
        """The crop process's id; 0 when none runs."""
        return self._child.process.pid if self._child else 0

    def start(self) -> None:
        """Starts the crop process, unless one is there."""
        self._living()

    def send(self, ref: JobRef, upload_from: str) -> None:
        """Hands over a job, which begins at once. Raises Died."""
        child = self._living()
        self._ooms = _oom_kills()
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
        """The reply to the job that was sent. Raises Died, or Overdue after *seconds*.

        *on_progress* gets the stage and the fraction of the job; *on_tick* is called often. The
        time that these take is not the crop's: they talk to a store that may hang.
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
        """The crop process's next message, if one comes within *seconds*. Raises Died."""
        try:
            return json.loads(child.pipe.recv_bytes()) if child.has_news(seconds) else None
        except (EOFError, OSError):
            raise self._reap(child) from None

    def kill(self) -> None:
        """Kills the crop process; whoever waits for it gets Died. From any thread."""
        child = self._child
        if child:
            child.process.kill()

    def stop(self) -> None:
        """Kills the crop process and forgets it."""
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
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "cropsvc.cropping.sandbox", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        pipe = Connection(ours.detach())
        poller = select.poll()
        poller.register(pipe, select.POLLIN)
        child = _Child(process, pipe, poller)
        child.send({"parent": os.getpid(), **asdict(self._confines)})
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
        self._child = None
        return CropProcessDied(status, out_of_memory=_oom_kills() > self._ooms)


def _oom_kills() -> int:
    """How many processes of this container the kernel killed for want of memory (cgroup v2)."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/sys/fs/cgroup/memory.events").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def _resident_bytes(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    return 0
