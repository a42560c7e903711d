"""Processes that the benchmark starts: with a log, an end, and their CPU time."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import psutil

from bench.places import ROOT
from bench.results import BenchError
from cropsvc.processes.parent_death import wrap_command

STOP_SECONDS = 20


class Child:
    """One program that dies with the benchmark, whichever way that ends."""

    def __init__(
        self,
        name: str,
        command: Iterable[str],
        *,
        log: Path,
        environ: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
    ) -> None:
        self.name = name
        self._log = log
        inherited = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "HOME")}
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                wrap_command(tuple(command)),
                cwd=cwd,
                env={**inherited, **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def tree(self) -> list[psutil.Process]:
        """The living processes, the main one first."""
        try:
            main = psutil.Process(self._process.pid)
            return [main, *main.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def await_(self, condition: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Waits until *condition*; raises BenchError with the log if it is not met."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self._process.poll() is not None:
                raise BenchError(f"{self.name} ended by itself: {self.tail()}")
            if time.monotonic() > deadline:
                raise BenchError(f"{self.name}: not within {seconds} s: {what}: {self.tail()}")
            time.sleep(0.02)

    def tail(self) -> str:
        """The end of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-25:])

    def stop(self) -> None:
        """Ends it and all below it."""
        below = self.tree()[1:]
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _, left = psutil.wait_procs(below, timeout=2)
        for process in left:
            process.kill()


def cpu_seconds(children: Iterable[Child]) -> dict[str, float]:
    """CPU used so far, by role; a worker's crop process counts apart."""
    used: dict[str, float] = {}
    for child in children:
        for process in child.tree():
            try:
                times = process.cpu_times()
                role = (
                    "crop process"
                    if "cropsvc.cropping.sandbox" in process.cmdline()
                    else child.name
                )
            except psutil.Error:
                continue
            used[role] = used.get(role, 0.0) + times.user + times.system
            used[role] += times.children_user + times.children_system
    return used


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was used between two readings."""
    return {role: after[role] - before.get(role, 0.0) for role in after}
