"""Our own two engines on the same pictures: RQ beside Celery through RabbitMQ.

Both are told apart by their settings only, and watched in the same way: by what waits in the store.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from shutil import which

from bench.exchanges import Keep, ours
from bench.images import MP6, SMALL, Case, fresh
from bench.over_http import CLIENTS, Runner
from bench.plan import Plan
from bench.results import BenchError, Figure, Results, percentile
from bench.service import PROCESSES, Stage, environ_of, scratch, stage, start_web, start_worker
from cropsvc.jobs.service import Jobs, Submission
from cropsvc.model.errors import Unavailable
from cropsvc.settings.settings import Settings
from cropsvc.store import received
from cropsvc.store.keys import PENDING
from cropsvc.web.app import create_app
from cropsvc.web.auth import OPEN
from cropsvc.web.services import EXTENSION

PER_SECOND = {SMALL.name: 500, MP6.name: 120}  # more than any engine here does
WARM_JOBS = 40  # done before the clock starts
WHERE = "/usr/sbin:/usr/local/sbin"

Environ = dict[str, str]


@dataclass(frozen=True)
class Side:
    """One engine: its name, and settings with a queue of its own each time."""

    name: str
    settings: Callable[[], Environ]


def engines(plan: Plan, results: Results) -> None:
    """A filled queue, and the way over HTTP with 8 clients."""
    with _sides() as sides:
        for case in (SMALL, MP6):
            rates: dict[str, list[float]] = {side.name: [] for side in sides}
            for _ in range(plan.side_rounds):
                for side in sides:
                    rates[side.name].append(_drain(side, case, plan.drain_seconds))
            figures = (_figure(f"{case.words}, drain", name, of) for name, of in rates.items())
            results.figures.extend(figures)
            race_over_http("engines", sides, case, plan, results)


@contextmanager
def _sides() -> Iterator[tuple[Side, ...]]:
    if not (which("rabbitmq-server") or which("rabbitmq-server", path=WHERE)):
        raise BenchError("rabbitmq-server is not on this machine")
    from tests import broker  # needs pytest, which rows without RabbitMQ do without

    def through(rabbitmq: broker.Broker) -> Environ:
        return {"CROPSVC_QUEUE": "celery", "CROPSVC_BROKER_URL": rabbitmq.vhost()}

    with scratch() as directory, broker.running(directory) as rabbitmq:
        yield Side("ours on RQ", dict), Side("ours on Celery", lambda: through(rabbitmq))


# -- a filled queue ---------------------------------------------------------------------------


def _drain(side: Side, case: Case, seconds: float) -> float:
    """Crops per second, once the workers are at work."""
    settings = side.settings()
    with stage() as on:
        jobs = _jobs(on, settings)
        ids = [_submit(jobs, case) for _ in range(int(PER_SECOND[case.name] * (seconds + 1)))]
        on.settle()
        worker = start_worker(on, **settings)
        worker.await_(lambda: _waiting(on) <= len(ids) - WARM_JOBS, f"{WARM_JOBS} crops")
        before, started = _waiting(on), time.perf_counter()
        time.sleep(seconds)
        after, elapsed = _waiting(on), time.perf_counter() - started
        if not after:
            raise BenchError(f"{side.name}: the queue was too short")
        done = [job_id for job_id in ids if jobs.get(OPEN, job_id).state == "done"]
    if len(done) < len(ids) - after - PROCESSES:
        raise BenchError(f"{side.name}: {len(ids) - after} were taken and {len(done)} are done")
    return (before - after) / elapsed


def _jobs(on: Stage, settings: Environ) -> Jobs:
    app = create_app(Settings.from_env(environ_of(on, **settings)))
    jobs: Jobs = app.extensions[EXTENSION].jobs
    return jobs


def _submit(jobs: Jobs, case: Case) -> str:
    """A new job's id; on a 503 submits again, as a client would."""
    while True:
        place, request = jobs.admit(OPEN), case.request()
        upload = jobs.upload(place, received(fresh(case)), request)
        with suppress(Unavailable):
            return jobs.submit(place, Submission(upload, request)).id


def _waiting(on: Stage) -> int:
    return on.client.zcard(PENDING)


# -- over HTTP --------------------------------------------------------------------------------


def race_over_http(
    row: str, sides: Sequence[Side], case: Case, plan: Plan, results: Results
) -> list[Runner]:
    """Let 8 clients upload to each side in turn; note the rates under *row*, and return all."""
    with ExitStack() as exits:
        runners = [_served(exits.enter_context(stage()), side, case) for side in sides]
        for runner in runners:
            runner.warm(CLIENTS)
        for _ in range(plan.side_rounds):
            for runner in runners:
                runner.round(CLIENTS, plan.http_seconds)
    for runner in runners:
        took = [one for load in runner.loads for one in load.took]
        said = ", ".join(f"p{p} {1000 * percentile(took, p):.0f} ms" for p in (50, 90, 99))
        what = f"{case.words}, {CLIENTS} clients over HTTP"
        results.figures.append(_figure(what, runner.name, runner.rates, said, row))
    return runners


def _served(on: Stage, side: Side, case: Case) -> Runner:
    settings, keep = side.settings(), Keep()
    start_worker(on, **settings)
    return Runner(side.name, [start_web(on, path="/readyz", **settings)], ours(case, keep), keep)


def _figure(
    what: str, side: str, rates: Sequence[float], note: str = "", row: str = "engines"
) -> Figure:
    return Figure(row, what, side, tuple(rates), "crops/s", note)
