"""The raw limit: the render that every side uses, in a tight loop, from bytes in memory.

`python -m bench.raw CASE [kept]` waits for a line with seconds, renders for that long, prints
`count elapsed`, and waits for the next. *kept*: with the crop process's memory settings, which
spare a plain loop the page faults of large pictures too.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.images import CASES, Case, check
from bench.places import ROOT
from cropsvc.imaging.render.render import render
from cropsvc.model.limits import Limits
from cropsvc.processes.memory_tuning import tune_allocator


def crop(case: Case) -> bytes:
    """One render, as the crop process does it."""
    return render(case.data, case.request(), Limits(), _silent)[0].data


def _silent(stage: str, fraction: float) -> None:
    pass


class Loops:
    """Processes that are ready to render at a word."""

    def __init__(self, children: list["subprocess.Popen[str]"]) -> None:
        self._children = children

    @property
    def pids(self) -> list[int]:
        """The processes' ids."""
        return [child.pid for child in self._children]

    def rate(self, seconds: float) -> float:
        """Renders per second of all processes together."""
        return sum(count / elapsed for count, elapsed in self._run(seconds))

    def count(self, seconds: float) -> int:
        """Renders of all processes together."""
        return sum(count for count, _ in self._run(seconds))

    def _run(self, seconds: float) -> list[tuple[int, float]]:
        for child in self._children:
            assert child.stdin
            child.stdin.write(f"{seconds}\n")
            child.stdin.flush()
        return [_answer(child) for child in self._children]


@contextmanager
def loops(case: Case, processes: int, *options: str) -> Iterator[Loops]:
    """So many processes for *case*, warmed up."""
    _ = case.data  # made before they look for it
    command = [sys.executable, "-m", "bench.raw", case.name, *options]
    children = [
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(processes)
    ]
    try:
        made = Loops(children)
        made.rate(0.2)
        yield made
    finally:
        for child in children:
            child.kill()
            child.wait()


def _answer(child: "subprocess.Popen[str]") -> tuple[int, float]:
    assert child.stdout
    count, elapsed = child.stdout.readline().split()
    return int(count), float(elapsed)


def main(case: Case) -> None:
    """Serves the lines of standard input."""
    check(crop(case), case.sides)
    for line in sys.stdin:
        started = time.perf_counter()
        until, count = started + float(line), 0
        while time.perf_counter() < until:
            crop(case)
            count += 1
        print(count, time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    if "kept" in sys.argv[2:]:
        tune_allocator()
    main(CASES[sys.argv[1]])
