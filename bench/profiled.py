"""The row `profile`: what one small job costs, by process, beside its budgets.

CPU time and counts hold on a busy machine too, where rates do not; but a shared cache makes
every instruction slower, so compare with the render alone, which is measured in the same rounds.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.children import cpu_seconds, spent
from bench.exchanges import Keep, ours
from bench.images import REGION
from bench.load import Address, Exchange, run
from bench.over_http import CLIENTS
from bench.plan import Plan
from bench.raw import Loops, loops
from bench.results import Claim, Figure, Results
from bench.service import Stage, stage, start_web, start_worker

CASE = REGION
WARM_EXCHANGES = 60
BUDGETS = {"web": 0.8, "worker": 0.35, "valkey": 0.5}  # ms of CPU for each job
OVER_RENDER = 0.3  # ms that the crop process may use beside the render
RENDER_SECONDS = 1.0
COUNTS = ("commands", "socket reads", "bytes in the AOF")
NAMES = {"web": "front end", "valkey": "Valkey"}


@dataclass
class Side:
    """Ours from one checkout, and what its rounds gave: milliseconds, or counts, for each job."""

    name: str
    on: Stage
    addresses: list[Address]
    exchange: Exchange
    found: dict[str, list[float]] = field(default_factory=dict)

    def round(self, jobs: int) -> None:
        """One round."""
        before = cpu_seconds(self.on.children), self._counts()
        run(self.addresses, self.exchange, clients=CLIENTS, exchanges=jobs)
        after = cpu_seconds(self.on.children), self._counts()
        for role, seconds in spent(before[0], after[0]).items():
            self.note(role, 1000 * seconds / jobs)
        for what, count in after[1].items():
            self.note(what, (count - before[1][what]) / jobs)

    def note(self, what: str, value: float) -> None:
        """Keep one round's figure."""
        self.found.setdefault(what, []).append(value)

    def _counts(self) -> dict[str, float]:
        info = self.on.client.info
        commands = sum(one["calls"] for one in info("commandstats").values())
        reads = info("stats")["total_reads_processed"]
        values = (commands, reads, info("persistence")["aof_current_size"])
        return dict(zip(COUNTS, map(float, values), strict=True))


def profile(plan: Plan, results: Results) -> None:
    """8 clients over HTTP, as many rounds as the rates have."""
    with ExitStack() as exits:
        sides = [exits.enter_context(_side("ours", None))]
        if before := os.environ.get("BENCH_BEFORE"):
            sides.append(exits.enter_context(_side("ours before", Path(before).resolve())))
        render = exits.enter_context(loops(CASE, 1, "kept"))
        for _ in range(plan.rounds):
            for side in sides:
                side.round(plan.profile_jobs)
                side.note("render", _render_ms(render))
    for side in sides:
        _tell(side, results)


@contextmanager
def _side(name: str, checkout: Path | None) -> Iterator[Side]:
    with stage() as on:
        on.checkout = checkout or on.checkout
        start_worker(on)
        addresses = [start_web(on, path="/readyz")]
        exchange = ours(CASE, Keep(CASE.sides))
        run(addresses, exchange, clients=CLIENTS, exchanges=WARM_EXCHANGES)
        yield Side(name, on, addresses, exchange)


def _render_ms(render: Loops) -> float:
    """CPU milliseconds of one render alone."""
    [pid] = render.pids
    before = psutil.Process(pid).cpu_times()
    count = render.count(RENDER_SECONDS)
    after = psutil.Process(pid).cpu_times()
    return 1000 * (after.user + after.system - before.user - before.system) / count


def _tell(side: Side, results: Results) -> None:
    found = {what: tuple(values) for what, values in side.found.items()}
    beside = zip(found["crop process"], found["render"], strict=True)
    found["crop process - render"] = tuple(whole - alone for whole, alone in beside)
    roles = (*BUDGETS, "crop process")
    found["all processes"] = tuple(map(sum, zip(*(found[role] for role in roles), strict=True)))
    for what, values in found.items():
        unit = "for each job" if what in COUNTS else "ms CPU"
        name = f"{NAMES.get(what, what)}, {CASE.words}"
        results.figures.append(Figure("profile", name, side.name, values, unit))
    budgets = {**BUDGETS, "crop process - render": OVER_RENDER}
    for what, budget in budgets.items():
        words = f"CPU of a small job, {side.name}: {NAMES.get(what, what)}"
        claim = Claim("profile", words, found[what], budget, at_least=False, unit=" ms")
        results.claims.append(claim)
