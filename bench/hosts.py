"""`python -m bench.hosts`: worker hosts on one Redis, over a network with a LAN's latency.

Each host is a network namespace with a share of the CPU; its way to Redis is `bench/delay.py`.
Prints, and writes var/bench/hosts.md. Needs root and Linux; takes about 8 minutes.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import RedisError
from rq.worker_registration import get_keys

from bench import fences, machine, report
from bench.drain import until
from bench.images import MP6, SMALL, Case
from bench.places import VAR
from bench.results import BenchError, Figure, Results
from bench.service import Stage, environ_of, stage, start_worker
from bench.sides import OURS, Done
from cropsvc.queues.rq.queue import CropQueue
from cropsvc.run import ports

HOSTS = (1, 2, 4, 8)
SHARE = 0.15  # of a core, for each host
REDIS_SHARE = 0.04  # of a core: in proportion to SHARE, so that Redis is what ends the growth
ONE_WAY = 0.0005  # seconds: 1 ms for a round trip
PER_CORE = 150.0  # small crops a second, at most, only to choose a queue's length
START_SECONDS = 180.0


@dataclass(frozen=True)
class Extent:
    """How long and how often."""

    seconds: float
    rounds: int
    costed: int  # jobs


EXTENTS = {True: Extent(2.0, 1, 60), False: Extent(6.0, 3, 400)}


@dataclass(frozen=True)
class Site:
    """Some hosts alike."""

    hosts: int
    cores: float  # of each
    workers: int  # processes of each
    one_way: float = ONE_WAY

    @property
    def most(self) -> float:
        """More jobs a second than it will do."""
        return self.hosts * self.cores * PER_CORE


def main() -> None:
    """Measures all."""
    parser = argparse.ArgumentParser(prog="python -m bench.hosts", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of each")
    extent = EXTENTS[parser.parse_args().quick]
    results, facts = Results(), machine.facts()
    for row in (costs, patience, growth, bend):
        print(f"bench: {row.__name__} ...", file=sys.stderr, flush=True)
        row(extent, results)
    print(report.screen(report.FIGURE_HEAD, report.figure_rows(results)))
    VAR.mkdir(parents=True, exist_ok=True)
    (VAR / "hosts.md").write_text(report.markdown(results, facts, "hosts"), encoding="utf-8")


# -- the rows -------------------------------------------------------------------------------


def costs(extent: Extent, results: Results) -> None:
    """What one job costs Redis: memory while it waits, CPU, bytes in and out."""
    for case in (SMALL, MP6):
        with stage() as on:
            _cost(on, case, extent.costed, results)


def _cost(on: Stage, case: Case, count: int, results: Results) -> None:
    OURS.fill(on, case, 10)  # what is there once, such as the scripts
    before = _reading(on)
    done = OURS.fill(on, case, count)
    queued = _reading(on)
    start_worker(on)
    _emptied(on)
    after = _reading(on)
    _check(done, count)
    upload = f"upload of {len(case.data) / 1000:,.0f} kB"

    def row(what: str, value: float, unit: str) -> None:
        figure = Figure("cost of a job", f"{case.words}, {upload}", what, (value,), unit)
        results.figures.append(figure)

    row("memory of Redis, waiting", (queued.memory - before.memory) / count / 1000, "kB")
    row("to Redis, at the submit", (queued.got - before.got) / count / 1000, "kB")
    row("from Redis, by the worker", (after.sent - queued.sent) / count / 1000, "kB")
    row("to Redis, by the worker", (after.got - queued.got) / count / 1000, "kB")
    row("CPU of Redis, submit", 1000 * (queued.cpu - before.cpu) / count, "ms")
    row("CPU of Redis, work", 1000 * (after.cpu - queued.cpu) / count, "ms")


def patience(extent: Extent, results: Results) -> None:
    """One core and its WORKERS, near to Redis and 1 ms away."""
    for workers in (1, 2, 3):
        for one_way in (0.0, ONE_WAY):
            site = Site(1, 1.0, workers, one_way)
            rates, trip = _measure(site, extent)
            side = f"WORKERS={workers}, a round trip takes {1000 * trip:.1f} ms"
            results.figures.append(Figure("one core", SMALL.words, side, rates, "crops/s"))


def growth(extent: Extent, results: Results) -> None:
    """More hosts, each with a share of a core."""
    _grow("growth", extent, results, redis_share=None)


def bend(extent: Extent, results: Results) -> None:
    """The same with a Redis that has a share of a core too."""
    _grow("bend", extent, results, redis_share=REDIS_SHARE)


def _grow(row: str, extent: Extent, results: Results, *, redis_share: float | None) -> None:
    one = 0.0
    for hosts in HOSTS:
        rates, trip = _measure(Site(hosts, SHARE, 1), extent, redis_share)
        one = one or median(rates)
        of = f"{median(rates) / one:.2f} times one host's; a round trip takes {1000 * trip:.1f} ms"
        what = f"{SMALL.words}; {SHARE:g} core each"
        what += f", Redis {redis_share:g} core" if redis_share else ""
        side = f"{hosts} host{'s' if hosts > 1 else ''}"
        results.figures.append(Figure(row, what, side, rates, "crops/s", of))


# -- how a site is measured -------------------------------------------------------------------


def _measure(
    site: Site, extent: Extent, redis_share: float | None = None
) -> tuple[tuple[float, ...], float]:
    """Each round's rate, and the time of a round trip in seconds."""
    with ExitStack() as exits:
        on = exits.enter_context(stage())
        trips = [_open(on, exits, number, site) for number in range(site.hosts)]
        all_workers = site.hosts * site.workers
        until(lambda: _registered(on) == all_workers, START_SECONDS, "all workers are there")
        _work_off(on, 10 * all_workers)  # the first ones are slow
        count = int(site.most * (extent.seconds + 2)) + 20
        rates = [_round(on, count, extent, redis_share) for _ in range(extent.rounds)]
    return tuple(rates), median(trips)


def _round(on: Stage, count: int, extent: Extent, redis_share: float | None) -> float:
    done = OURS.fill(on, SMALL, count)
    with _held(on, redis_share):
        rate = _rate(on, extent.seconds)
    _emptied(on)
    _check(done, count)
    return rate


def _work_off(on: Stage, count: int) -> None:
    done = OURS.fill(on, SMALL, count)
    _emptied(on)
    _check(done, count)


def _emptied(on: Stage) -> None:
    running = CropQueue(connection=on.client).started_job_registry.key

    def is_empty() -> bool:
        return not on.client.llen(OURS.queue_key) + on.client.zcard(running)

    until(is_empty, START_SECONDS, "the queue is worked off")


def _check(done: Done, count: int) -> None:
    until(lambda: done() == count, 10, "all are done")


@contextmanager
def _held(on: Stage, cores: float | None) -> Iterator[None]:
    """Holds Redis to that share of the CPU."""
    if cores is None:
        yield
        return
    pid = on.children[0].tree()[0].pid
    with fences.share(f"cropsvc-redis-{pid}", cores) as group, fences.confined(pid, group):
        yield


def _open(on: Stage, exits: ExitStack, number: int, site: Site) -> float:
    """Starts a host's workers; gives the time of a round trip from there."""
    host = exits.enter_context(fences.host(number, site.cores))
    parts, port = urlsplit(on.url), ports.free()
    there, here = f"{parts.hostname}:{parts.port}", f"{host.gateway}:{port}"
    command = (sys.executable, "-m", "bench.delay", here, there, str(site.one_way))
    delay = on.start(f"delay-{number}", *command)
    url = on.url.replace(there, here)
    client = Redis.from_url(url)
    delay.await_(lambda: _answers(client), "Redis answers over the way round")
    environ = {**environ_of(on), "CROPSVC_REDIS_URL": url, "WORKERS": str(site.workers)}
    worker = on.start(f"worker-{number}", *host.command(sys.executable, "worker.py"), **environ)
    exits.callback(on.stop, worker)  # before its host goes
    return _trip(client)


def _rate(on: Stage, seconds: float) -> float:
    before, started = on.client.llen(OURS.queue_key), time.perf_counter()
    time.sleep(seconds)
    after, elapsed = on.client.llen(OURS.queue_key), time.perf_counter() - started
    if not after:
        raise BenchError("the queue was too short")
    return (before - after) / elapsed


def _registered(on: Stage) -> int:
    return len(get_keys(connection=on.client))


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False


def _trip(client: Redis) -> float:
    def one() -> float:
        started = time.perf_counter()
        client.ping()
        return time.perf_counter() - started

    return median(one() for _ in range(200))


@dataclass(frozen=True)
class Reading:
    """What Redis has used so far: bytes, and CPU seconds."""

    memory: int
    got: int
    sent: int
    cpu: float


def _reading(on: Stage) -> Reading:
    facts = on.client.info()
    cpu = float(facts["used_cpu_sys"]) + float(facts["used_cpu_user"])
    flow = facts["total_net_input_bytes"], facts["total_net_output_bytes"]
    return Reading(int(facts["used_memory"]), *map(int, flow), cpu)


if __name__ == "__main__":
    main()
