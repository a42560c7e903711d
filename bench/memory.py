"""What the workers hold after many mixed jobs: their resident size, crop processes with them."""

import time
from collections.abc import Sequence
from statistics import median

import psutil

from bench.children import Child
from bench.exchanges import Keep, Steps, ours
from bench.images import ALPHA, MP6, MP12, SMALL, Case
from bench.load import Address, Exchange, run
from bench.plan import Plan
from bench.results import Claim, Figure, Results
from bench.service import stage, start_web, start_worker

MOST_GROWTH = 1.2
SAMPLES = 5
CLIENTS = 8
MIX: Sequence[Case] = (*[SMALL] * 7, ALPHA, *[SMALL] * 6, MP6, *[SMALL] * 6, ALPHA, SMALL, MP12)
"""24 jobs that come round again and again; each worker meets every kind."""


def memory(plan: Plan, results: Results) -> None:
    """Megabytes of both workers and both crop processes, at two points of one run."""
    few, many = plan.memory_jobs
    with stage() as on:
        worker = start_worker(on)
        address = start_web(on, path="/readyz")
        _run(address, few)
        early = _resident(worker)
        _run(address, many - few)
        late = _resident(worker)
    for jobs, sizes in ((few, early), (many, late)):
        for role, size in sizes.items():
            what = f"resident after {jobs:,} mixed jobs"
            results.figures.append(Figure("memory", what, role, (size,), "MB"))
    what = f"worker RSS after {many:,} mixed jobs / after {few:,} (with crop processes)"
    growth = sum(late.values()) / sum(early.values())
    results.claims.append(Claim("memory", what, (growth,), MOST_GROWTH, at_least=False))


def _run(address: Address, jobs: int) -> None:
    run([address], _mixed(), clients=CLIENTS, exchanges=jobs)


def _mixed() -> Exchange:
    keeps = {case.name: Keep() for case in MIX}
    kinds = [ours(case, keeps[case.name]) for case in MIX]

    def exchange(number: int) -> Steps:
        yield from kinds[number % len(kinds)](number)

    return exchange


def _resident(worker: Child) -> dict[str, float]:
    """Medians of some readings, in megabytes, summed up by role; the supervisor is left out."""
    readings: list[dict[str, float]] = []
    for _ in range(SAMPLES):
        time.sleep(0.3)
        readings.append(_reading(worker.tree()[1:]))
    return {role: median(one[role] for one in readings) for role in readings[0]}


def _reading(processes: Sequence[psutil.Process]) -> dict[str, float]:
    sizes = {"2 workers": 0.0, "2 crop processes": 0.0}
    for process in processes:
        crops = "cropsvc.cropping.sandbox" in process.cmdline()
        sizes["2 crop processes" if crops else "2 workers"] += process.memory_info().rss / 1e6
    return sizes
