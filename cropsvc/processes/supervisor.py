"""Keep a handful of programs running: restart any that exits, at once and without a limit.

Decision 12 says why it is not supervisord, circus or honcho.
"""

import logging
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType

from cropsvc.processes.parent_death import wrap_command

log = logging.getLogger(__name__)

IMPATIENT = 1.0  # seconds after which a second Ctrl-C is meant; make and a terminal may send two
LONGEST_PAUSE = 1.0  # seconds before a program that keeps failing is tried again


@dataclass(frozen=True)
class Program:
    """What to run: its name in the log, its command, and how it is started and stopped."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str] | None = None  # None: as ours
    cwd: Path | None = None
    grace: float = 5.0  # seconds from SIGTERM to SIGKILL
    keep: tuple[int, ...] = ()  # our file descriptors that it inherits


class Child:
    """One program's process, and when to start it again."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.starts = 0
        self._failures = 0
        self._due = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The living process, if there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it, in a process group of its own: a terminal's Ctrl-C is for the supervisor."""
        program = self.program
        self._process = subprocess.Popen(  # noqa: S603 - the programs are ours, not a user's
            wrap_command(program.command),
            env=program.environ,
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            pass_fds=program.keep,
            process_group=0,
        )
        self._started = time.monotonic()
        self.starts += 1

    def check(self) -> None:
        """Note its death, and start it again once that is due."""
        process = self._process
        if process and (code := process.poll()) is not None:
            self._reap(process.pid, code)
        if not self._process and time.monotonic() >= self._due:
            self.start()

    @property
    def wait(self) -> float | None:
        """Seconds until a start is due; None while it lives."""
        return None if self._process else max(0.0, self._due - time.monotonic())

    def signal(self, number: int) -> None:
        """Send it a signal, if it lives."""
        if self._process:
            self._process.send_signal(number)

    def ended(self) -> bool:
        """Whether it has ended; nothing starts it again."""
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """Kill it and what it left in its process group."""
        if not self._process:
            return
        _kill_group(self._process.pid)
        self._process.wait()

    def _reap(self, pid: int, code: int) -> None:
        lived = time.monotonic() - self._started
        # A kill from outside is not its fault; a program that ends so soon will do it again.
        self._failures = self._failures + 1 if lived < (0.2 if code < 0 else 5.0) else 0
        pause = min(LONGEST_PAUSE, 0.05 * 2**self._failures) if self._failures > 1 else 0.0
        self._due = time.monotonic() + pause
        _kill_group(pid)
        log.warning("%s ended (%s); starting it again", self.program.name, _cause(code))
        self._process = None


class Supervisor:
    """Runs programs in stages: started first to last, stopped last to first.

    Use it in a `with` on the main thread; leaving it stops all, and waits for each stage's grace.
    """

    def __init__(self) -> None:
        self.stages: list[list[Child]] = []
        self.stop_asked: int | None = None  # the signal that asked for the end
        self._asked_at = 0.0
        self._hurry = False
        self._exits = ExitStack()

    def __enter__(self) -> "Supervisor":
        self._wakeup, writer = os.pipe()
        for end in (self._wakeup, writer):
            os.set_blocking(end, False)
            self._exits.callback(os.close, end)
        before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        self._exits.callback(signal.set_wakeup_fd, before)
        # A shell script's `... &` has SIGINT ignored, which is not its wish; nohup's SIGHUP is.
        hangup = () if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (signal.SIGHUP,)
        for number in (signal.SIGTERM, signal.SIGINT, *hangup):
            self._handle(number, self._on_stop)
        # A handler, if only an empty one, is what makes a child's death wake us.
        self._handle(signal.SIGCHLD, lambda _number, _frame: None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._exits.close()

    @property
    def children(self) -> list[Child]:
        """All of them, in the order of their start."""
        return [child for stage in self.stages for child in stage]

    def start(self, programs: Iterable[Program]) -> list[Child]:
        """Start one more stage."""
        stage = [Child(program) for program in programs]
        self.stages.append(stage)
        for child in stage:
            child.start()
        return stage

    def run(self) -> None:
        """Keep all running until a signal asks for the end."""
        while not self.stop_asked:
            self.tick()

    def tick(self, seconds: float = 3600.0) -> None:
        """Sleep until something happens or *seconds* have passed; start again what died."""
        waits = [wait for child in self.children if (wait := child.wait) is not None]
        if select.select([self._wakeup], [], [], min([seconds, *waits]))[0]:
            os.read(self._wakeup, 4096)
        for child in self.children:
            child.check()

    def stop(self) -> None:
        """Stop all, the last stage first; the stages before it keep running until then."""
        while self.stages:
            self._stop(self.stages.pop())

    def _stop(self, stage: list[Child]) -> None:
        for child in stage:
            child.signal(signal.SIGTERM)
        begun = time.monotonic()
        while left := [child for child in stage if not child.ended()]:
            for child in left:
                if self._hurry or time.monotonic() - begun > child.program.grace:
                    log.warning("%s did not end in time; killed", child.program.name)
                    child.kill()
            self.tick(0.1)
        for child in stage:
            child.kill()

    def _handle(self, number: int, handler: Callable[[int, FrameType | None], None]) -> None:
        self._exits.callback(signal.signal, number, signal.signal(number, handler))

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.stop_asked is None:
            self.stop_asked, self._asked_at = number, now
        elif number == signal.SIGINT and now - self._asked_at > IMPATIENT:
            self._hurry = True


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # nobody is left in it, the usual case
        os.killpg(pid, signal.SIGKILL)


def _cause(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
