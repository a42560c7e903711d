"""Ours against thumbor and ipx on six works, by rate; with the bytes and the SSIM of each result.

The peers crop from local disk, without upload, queue or store. `BENCH_BEFORE` names another
checkout of ours, which then takes part: what changed is measured in the same rounds.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.exchanges import Keep, ipxs, ours, thumbors
from bench.images import AVIF, MP6, MP12, PNG, REGION, WEBP, Case, check_alike, likeness
from bench.load import Address, Exchange
from bench.over_http import CLIENTS, Runner
from bench.peers import ipx, thumbor
from bench.plan import Plan
from bench.results import Claim, Figure, Results, percentile, ratios
from bench.service import PROCESSES, Stage, stage, start_web, start_worker


@dataclass(frozen=True)
class Goal:
    """A work, and how many times as fast as each peer ours is to be."""

    case: Case
    thumbor: float
    ipx: float


GOALS = (
    Goal(REGION, 1.2, 1.5),
    Goal(MP6, 2.7, 1.6),
    Goal(MP12, 5, 1.8),
    Goal(PNG, 4, 8),
    Goal(WEBP, 4, 2.2),
    Goal(AVIF, 8, 25),
)
OURS, BEFORE = "ours", "ours before"
Talk = Callable[[Case, Keep], Exchange]


def peers(plan: Plan, results: Results) -> None:
    """Each work with 8 clients, all services in turn."""
    for goal in GOALS:
        with _services(goal.case) as runners:
            for runner in runners:
                runner.warm(CLIENTS)
            for _ in range(plan.rounds):
                for runner in runners:
                    runner.round(CLIENTS, plan.http_seconds)
        results.figures.extend(_figure(goal.case, runner, runners) for runner in runners)
        results.claims.extend(_claims(goal, {runner.name: runner for runner in runners}))


@contextmanager
def _services(case: Case) -> Iterator[list[Runner]]:
    with ExitStack() as exits:
        runners = [_of_ours(OURS, case, exits.enter_context(stage()))]
        if before := os.environ.get("BENCH_BEFORE"):
            on = exits.enter_context(stage())
            on.checkout = Path(before).resolve()
            runners.append(_of_ours(BEFORE, case, on))
        on = exits.enter_context(stage())
        runners.append(_runner("thumbor", case, thumbor.start(on, PROCESSES), thumbors))
        if ipx.is_possible():
            runners.append(_runner("ipx", case, ipx.start(on, PROCESSES), ipxs))
        else:
            print("bench: no Node here: ipx is left out", file=sys.stderr)
        yield runners


def _of_ours(name: str, case: Case, on: Stage) -> Runner:
    start_worker(on)
    return _runner(name, case, [start_web(on, path="/readyz")], ours)


def _runner(name: str, case: Case, addresses: list[Address], talk: Talk) -> Runner:
    keep = Keep(case.sides)
    return Runner(name, addresses, talk(case, keep), keep)


def _claims(goal: Goal, runners: dict[str, Runner]) -> Iterator[Claim]:
    goals = {"thumbor": goal.thumbor, "ipx": goal.ipx}
    for name, bound in goals.items():
        if name in runners:
            of = ratios(runners[OURS].rates, runners[name].rates)
            yield Claim("peers", f"{goal.case.words}, ours / {name}", of, bound)
            if BEFORE in runners:
                of = ratios(runners[BEFORE].rates, runners[name].rates)
                yield Claim("peers", f"{goal.case.words}, ours before / {name}", of, bound)


def _figure(case: Case, runner: Runner, runners: list[Runner]) -> Figure:
    body = runner.keep.body
    apart = check_alike(runners[0].keep.body, body, case.sides)
    took = [one for load in runner.loads for one in load.took]
    said = ", ".join(f"p{p} {1000 * percentile(took, p):.0f} ms" for p in (50, 90, 99))
    said += f"; {len(body):,} bytes, SSIM {likeness(body, case):.4f}, {apart:.1f} of 255 from ours"
    return Figure("peers", case.words, runner.name, runner.rates, "crops/s", said)
