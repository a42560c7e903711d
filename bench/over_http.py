"""End to end over HTTP: upload -> bytes, against thumbor and the plain Flask + Celery way."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.exchanges import Keep, ours, plain, thumbors
from bench.images import ALPHA, MP6, MP12, SMALL, Case, check_alike
from bench.load import Address, Exchange, Load, run
from bench.peers import thumbor
from bench.places import PEERS
from bench.plan import Plan
from bench.results import Claim, Figure, Results, percentile, ratios
from bench.service import PROCESSES, Stage, answers, stage, start_web, start_worker
from bench.sides import start_celery
from cropsvc.run import ports

CLIENTS = 8
WARM_EXCHANGES = 24
BOUNDS = {"small": 0.65, "6mp": 1.8, "12mp": 3.5}
PLAIN_BOUND = 1.5


@dataclass
class Runner:
    """One service under load, and what its rounds gave."""

    name: str
    addresses: list[Address]
    exchange: Exchange
    keep: Keep
    loads: list[Load] = field(default_factory=list)

    def warm(self, clients: int) -> None:
        """Some exchanges that do not count."""
        run(self.addresses, self.exchange, clients=clients, exchanges=WARM_EXCHANGES)

    def round(self, clients: int, seconds: float) -> None:
        """One round."""
        self.loads.append(run(self.addresses, self.exchange, clients=clients, seconds=seconds))

    @property
    def rates(self) -> tuple[float, ...]:
        """Each round's exchanges per second."""
        return tuple(load.rate for load in self.loads)


def over_http(plan: Plan, results: Results) -> None:
    """8 clients on each picture; on the small one also 1 and 32 clients, and the plain way."""
    for case in (SMALL, MP6, MP12, *((ALPHA,) if plan.drain_all else ())):
        with services(case, with_plain=case is SMALL) as runners:
            _contest(case, runners, plan, results)
            if case is SMALL:
                for clients in (1, 32):
                    _crowds(case, clients, runners[:2], plan, results)


@contextmanager
def services(case: Case, *, with_plain: bool) -> Iterator[list[Runner]]:
    """Ours and thumbor, and the plain way, each with its own Valkey, all running."""
    with stage() as on, stage() as other:
        start_worker(on)
        keep = Keep()
        address = start_web(on, path="/readyz")
        runners = [Runner("ours", [address], ours(case, keep), keep)]
        keep = Keep()
        addresses = thumbor.start(on, PROCESSES)
        runners.append(Runner("thumbor", addresses, thumbors(case, keep), keep))
        if with_plain:
            keep = Keep()
            runners.append(Runner("plain", [start_plain(other)], plain(case, keep), keep))
        yield runners


def start_plain(on: Stage) -> Address:
    """The plain way's Celery and Flask."""
    start_celery(on)
    port = ports.free()
    config = str(PEERS / "flask_gunicorn.py")  # else gunicorn finds that of our front end
    web = on.start(
        "flask",
        *(sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "-c", config),
        "bench.peers.flask_plain:app",
        BENCH_REDIS_URL=on.url,
    )
    web.await_(lambda: answers(port, "/crops/none"), "the plain way answers")
    return "127.0.0.1", port


def _contest(case: Case, runners: list[Runner], plan: Plan, results: Results) -> None:
    _rounds(runners, CLIENTS, plan.rounds, plan.http_seconds)
    ours_, thumbors_ = runners[:2]
    apart = check_alike(ours_.keep.body, thumbors_.keep.body)
    note = f"the results differ from thumbor's by {apart:.1f} of 255"
    results.figures.extend(_figure(case, CLIENTS, runner, note) for runner in runners)
    if case.name in BOUNDS:
        what = f"8 clients, {case.words} -> 300x300, ours / thumbor"
        of_thumbor = ratios(ours_.rates, thumbors_.rates)
        results.claims.append(Claim("http", what, of_thumbor, BOUNDS[case.name]))
    if case is SMALL:
        what = "8 clients, 640x480 -> 300x300, ours / plain Flask + Celery + Redis"
        of_plain = ratios(ours_.rates, runners[2].rates)
        results.claims.append(Claim("http", what, of_plain, PLAIN_BOUND))


def _crowds(case: Case, clients: int, runners: list[Runner], plan: Plan, results: Results) -> None:
    again = [Runner(one.name, one.addresses, one.exchange, one.keep) for one in runners]
    _rounds(again, clients, plan.side_rounds, plan.http_seconds)
    results.figures.extend(_figure(case, clients, runner) for runner in again)


def _rounds(runners: list[Runner], clients: int, rounds: int, seconds: float) -> None:
    for runner in runners:
        runner.warm(clients)
    for _ in range(rounds):
        for runner in runners:
            runner.round(clients, seconds)


def _figure(case: Case, clients: int, runner: Runner, note: str = "") -> Figure:
    took = [one for load in runner.loads for one in load.took]
    halves = (f"p{p} {1000 * percentile(took, p):.0f} ms" for p in (50, 90, 99))
    cpu = max(load.cpu_percent for load in runner.loads)
    said = f"{', '.join(halves)}; load generator {cpu:.0f}% of a core"
    if note and runner.name == "ours":
        said += f"; {note}"
    what = f"{case.words}, {clients} client{'s' if clients > 1 else ''}"
    return Figure("http", what, runner.name, runner.rates, "crops/s", said)


def cached(plan: Plan, results: Results) -> None:
    """The same bytes and parameters again, answered without a worker."""
    with stage() as on:
        start_worker(on)
        address = start_web(on, path="/readyz")
        keep = Keep()
        runner = Runner("ours", [address], ours(SMALL, keep, repeat=True), keep)
        for clients in (1, CLIENTS):
            _crowds(SMALL, clients, [runner], plan, results)
            results.figures[-1] = _renamed(results.figures[-1])


def _renamed(figure: Figure) -> Figure:
    return Figure("cached", figure.what, figure.side, figure.values, figure.unit, figure.note)


Row = Callable[[Plan, Results], None]
