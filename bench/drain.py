"""How fast a filled queue is worked off: ours, the stock workers, Celery, and the raw limit."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from bench.images import ALPHA, MP6, MP12, SMALL, Case
from bench.plan import Plan
from bench.raw import loops
from bench.results import BenchError, Claim, Figure, Results, ratios
from bench.service import PROCESSES, Stage, stage
from bench.sides import CELERY, OURS, PEERS, STOCK, Side

LOOK_SECONDS = 0.01  # between two looks at the queue's length
WARM_SECONDS = 60.0
IN_FLIGHT = 16  # jobs taken but not done when the workers are stopped; Celery fetches 8 ahead
MARGIN = 1.6  # how much longer the queue is than the raw limit could work off
SKEW_SECONDS = 1.5  # between the first and the last worker's start
UNIT = "crops/s"
RAW = {
    "raw": "render in a tight loop, 2 processes",
    "kept": "the same with the crop process's memory settings",
}


def drain(plan: Plan, results: Results) -> None:
    """All pictures: the raw limit and ours; the peers where results.md compares them."""
    _race(SMALL, PEERS, plan, plan.rounds, results)
    _race(MP6, (STOCK, CELERY) if plan.drain_all else (), plan, plan.rounds, results)
    for case in (MP12, ALPHA) if plan.drain_all else ():
        _race(case, (), plan, plan.side_rounds, results)


def _race(case: Case, peers: Sequence[Side], plan: Plan, rounds: int, results: Results) -> None:
    sides = (OURS, *peers)
    rates: dict[str, list[float]] = {name: [] for name in (*RAW, *(s.name for s in sides))}
    with ExitStack() as exits:
        raw = exits.enter_context(loops(case, PROCESSES))
        kept = exits.enter_context(loops(case, PROCESSES, "kept"))
        on = exits.enter_context(stage())
        for _ in range(rounds):
            rates["raw"].append(raw.rate(plan.drain_seconds))
            rates["kept"].append(kept.rate(plan.drain_seconds))
            length = _length(rates["raw"][-1], plan.drain_seconds)
            for side in sides:
                rates[side.name].append(measure(on, side, case, length, plan.drain_seconds))
    results.figures.extend(_figure(case, name, words, rates) for name, words in RAW.items())
    results.figures.extend(_figure(case, side.name, side.words, rates) for side in sides)
    results.claims.extend(_claims(case, rates))


def _length(raw_rate: float, seconds: float) -> int:
    return 50 + int(raw_rate * (seconds + SKEW_SECONDS) * MARGIN / 2 + raw_rate * seconds / 2)


def measure(on: Stage, side: Side, case: Case, length: int, seconds: float) -> float:
    """Crops per second of a queue of *length*, for *seconds* once all workers are at work."""
    on.empty()
    done = side.fill(on, case, length)
    on.settle()
    running = list(on.children)
    side.start(on)
    try:
        rate, taken = _watch(on, side, length, seconds)
    except TimeoutError as error:
        logs = "\n".join(child.tail() for child in on.children if child not in running)
        raise BenchError(f"{side.name}: {error}\n{logs}") from None
    finally:
        for child in [child for child in on.children if child not in running]:
            on.stop(child)
    if (finished := done()) < taken - IN_FLIGHT:
        raise BenchError(f"{side.name}: {taken} jobs were taken and only {finished} are done")
    return rate


def _watch(on: Stage, side: Side, length: int, seconds: float) -> tuple[float, int]:
    """The rate at which jobs are taken, and how many were."""

    def taken() -> int:
        return length - on.client.llen(side.queue_key)

    until(lambda: side.is_warm(on, taken()), WARM_SECONDS, "every worker has done some jobs")
    before, started = taken(), time.perf_counter()
    count = before
    while count < length and time.perf_counter() - started < seconds:
        time.sleep(LOOK_SECONDS)
        count = taken()
    elapsed = time.perf_counter() - started
    if count == before:
        raise TimeoutError(f"no job was taken in {elapsed:.1f} s")
    return (count - before) / elapsed, count


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits for *condition*; raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)


def _figure(case: Case, side: str, words: str, rates: dict[str, list[float]]) -> Figure:
    return Figure("drain", case.words, f"{side}: {words}", tuple(rates[side]), UNIT)


def _claims(case: Case, rates: dict[str, list[float]]) -> list[Claim]:
    of_raw = ratios(rates["ours"], rates["raw"])
    if case is MP6:
        return [Claim("drain", "6 MP region -> 300x300, ours / raw limit", of_raw, 0.85)]
    if case is not SMALL:
        return []
    of_stock = ratios(rates["ours"], rates[STOCK.name])
    return [
        Claim("drain", "640x480 -> 300x300, ours / stock rq.Worker", of_stock, 6.0),
        Claim("drain", "640x480 -> 300x300, ours / raw limit", of_raw, 0.4),
    ]
