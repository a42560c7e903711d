"""What one job costs: Redis commands, round trips, socket calls and CPU time, by process.

`python -m bench.profile [--case small] [--jobs 300] [SIDE ...]`. Not part of
`make bench`: it is for finding out where the time goes. Run it as a module, by that name.
"""

import argparse
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.children import cpu_seconds, spent
from bench.drain import WARM_SECONDS, until
from bench.exchanges import Keep, ours, plain, thumbors
from bench.images import CASES, Case
from bench.load import Address, Exchange, run
from bench.over_http import start_plain
from bench.peers import thumbor
from bench.places import PEERS
from bench.service import PROCESSES, Stage, stage, start_web, start_worker
from bench.sides import SIDES, Side

CLIENTS = 8
WARM_EXCHANGES = 24
WARM_QUEUE = 60  # jobs beyond --jobs, so that the clock starts at full speed
COUNTS = struct.Struct("qq")  # as in peers/counting/sitecustomize.py
OURS_TOO = {"info", "llen", "hget", "smembers"}  # what the observer says; few to each job


@dataclass(frozen=True)
class Reading:
    """Everything that is counted, at one moment."""

    commands: dict[str, float]
    reads: float  # by Valkey, of any socket
    calls: dict[str, tuple[int, int]]  # sends and receives by role
    cpu: dict[str, float]  # seconds by role


@dataclass
class Observer:
    """Takes readings of a stage."""

    on: Stage
    directory: Path

    def read(self) -> Reading:
        """Now."""
        stats = self.on.client.info("commandstats")
        return Reading(
            commands={key.removeprefix("cmdstat_"): one["calls"] for key, one in stats.items()},
            reads=float(self.on.client.info("stats")["total_reads_processed"]),
            calls=self._calls(),
            cpu=cpu_seconds(self.on.children),
        )

    def _calls(self) -> dict[str, tuple[int, int]]:
        calls: dict[str, tuple[int, int]] = {}
        for path in self.directory.iterdir():
            role = path.name.partition("~")[0]
            sends, receives = COUNTS.unpack(path.read_bytes()[: COUNTS.size])
            before = calls.get(role, (0, 0))
            calls[role] = before[0] + sends, before[1] + receives
        return calls


def of_queue(side: Side, case: Case, jobs: int) -> str:
    """One side of a drain."""
    with observed() as observer:
        on = observer.on
        length = jobs + WARM_QUEUE
        done = side.fill(on, case, length)
        on.settle()
        side.start(on)
        until(lambda: side.is_warm(on, length - on.client.llen(side.queue_key)), WARM_SECONDS, "")
        first = length - on.client.llen(side.queue_key)
        before = observer.read()
        until(lambda: not on.client.llen(side.queue_key), WARM_SECONDS * 5, "the queue is empty")
        after = observer.read()
        until(lambda: done() == length, WARM_SECONDS, "all jobs are done")
    return words(f"{side.name}: {side.words}", before, after, length - first)


def of_http(service: str, case: Case, jobs: int) -> str:
    """Ours, thumbor or the plain way end to end, 8 clients."""
    start, talk = SERVICES[service]
    with observed() as observer:
        addresses, exchange = start(observer.on), talk(case, Keep())
        run(addresses, exchange, clients=CLIENTS, exchanges=WARM_EXCHANGES)
        before = observer.read()
        load = run(addresses, exchange, clients=CLIENTS, exchanges=jobs)
        after = observer.read()
    head = f"{service}, {CLIENTS} clients, load generator {load.cpu_percent:.0f}% of a core"
    return words(head, before, after, jobs)


def _start_ours(on: Stage) -> list[Address]:
    start_worker(on)
    return [start_web(on, path="/readyz")]


SERVICES: dict[str, tuple[Callable[[Stage], list[Address]], Callable[[Case, Keep], Exchange]]] = {
    "http": (_start_ours, ours),
    "thumbor": (lambda on: thumbor.start(on, PROCESSES), thumbors),
    "plain": (lambda on: [start_plain(on)], plain),
}


@contextmanager
def observed() -> Iterator[Observer]:
    """A stage whose Python processes count their socket calls."""
    with stage() as on:
        directory = on.directory / "counts"
        directory.mkdir()
        on.environ.update(PYTHONPATH=str(PEERS / "counting"), BENCH_COUNTS=str(directory))
        yield Observer(on, directory)


def words(head: str, before: Reading, after: Reading, jobs: int) -> str:
    """The differences, for each job."""
    calls = {
        name: (count - before.commands.get(name, 0)) / jobs
        for name, count in after.commands.items()
    }
    top = sorted(((n, c) for n, c in calls.items() if c >= 0.02), key=lambda one: -one[1])
    own = sum(c for n, c in calls.items() if n not in OURS_TOO)
    lines = [head, f"  {jobs} jobs; for each:"]
    lines.append(f"  {own:6.2f} commands that Valkey ran (scripts' inner ones and MULTI/EXEC too)")
    lines.append(f"  {(after.reads - before.reads) / jobs:6.2f} socket reads by Valkey")
    lines += _calls(before, after, jobs)
    used = {role: 1000 * s / jobs for role, s in spent(before.cpu, after.cpu).items()}
    lines += [f"  {ms:6.2f} ms CPU: {role}" for role, ms in used.items()]
    lines.append(f"  {sum(used.values()):6.2f} ms CPU in all")
    lines.append("  " + ", ".join(f"{name} {count:.2f}" for name, count in top))
    return "\n".join(lines)


def _calls(before: Reading, after: Reading, jobs: int) -> list[str]:
    lines = []
    for role, (sends, receives) in sorted(after.calls.items()):
        earlier = before.calls.get(role, (0, 0))
        sent, received = (sends - earlier[0]) / jobs, (receives - earlier[1]) / jobs
        if sent + received >= 0.02:
            lines.append(f"  {sent:6.2f} sends, {received:.2f} receives: {role}")
    return lines


# The sides of a drain, then the services over HTTP.
MEASURES: dict[str, Callable[[Case, int], str]] = {
    **{name: partial(of_queue, side) for name, side in SIDES.items()},
    **{name: partial(of_http, name) for name in SERVICES},
}


def main() -> None:
    """Prints one block for each side that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("sides", nargs="*", metavar="SIDE", help=f"of {', '.join(MEASURES)}")
    parser.add_argument("--case", choices=CASES, default="small")
    parser.add_argument("--jobs", type=int, default=300)
    asked = parser.parse_args()
    print(f"{CASES[asked.case].words}, {time.strftime('%Y-%m-%d %H:%M')}")
    for name in asked.sides or MEASURES:
        if name not in MEASURES:
            parser.error(f"{name}: not one of {', '.join(MEASURES)}")
        print(MEASURES[name](CASES[asked.case], asked.jobs), flush=True)


if __name__ == "__main__":
    main()
