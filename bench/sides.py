"""The sides of a drain: how each fills its queue, and which workers empty it."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from rq.worker_registration import get_keys

from bench.images import Case, check, fresh
from bench.peers import rq_plain
from bench.places import ROOT
from bench.service import PROCESSES, Stage, jobs_of, start_worker
from cropsvc.jobs.service import Jobs, Submission
from cropsvc.queues.rq.queue import CropQueue
from cropsvc.store import received
from cropsvc.web.auth import OPEN

WARM_JOBS = 3  # that each worker has done before the clock starts

Done = Callable[[], int]
"""How many of the jobs that were put on the queue have their result."""


@dataclass(frozen=True)
class Side:
    """One way to work a queue off."""

    name: str
    words: str
    queue_key: str
    fill: Callable[[Stage, Case, int], Done]
    start: Callable[[Stage], object]
    is_warm: Callable[[Stage, int], bool]  # of the stage, and how many jobs were taken


# -- ours ---------------------------------------------------------------------------------------


def _fill_ours(stage: Stage, case: Case, count: int) -> Done:
    jobs, request = jobs_of(stage), case.request()
    ids = []
    for _ in range(count):
        place = jobs.admit(OPEN)
        upload = jobs.upload(place, received(fresh(case)), request)
        ids.append(jobs.submit(place, Submission(upload, request)).id)
    check_once = _once(lambda: check(jobs.image(OPEN, ids[0], None)[2]))
    return lambda: check_once() + sum(_is_done(jobs, job_id) for job_id in ids)


def _is_done(jobs: Jobs, job_id: str) -> bool:
    return jobs.get(OPEN, job_id).state == "done"


# -- the plain workers --------------------------------------------------------------------------


def _fill_plain(stage: Stage, case: Case, names: list[str]) -> Done:
    """Puts the uploads beside the queue, as ours does."""
    for name in names:
        stage.client.set(f"source:{name}", fresh(case), ex=3600)
    check_once = _once(lambda: check(cast(bytes, stage.client.get("result:0") or b"")))
    results = [f"result:{name}" for name in names]
    return lambda: check_once() + stage.client.exists(*results)


def _arguments(case: Case, name: str) -> tuple[str, str, str]:
    return f"source:{name}", f"result:{name}", case.request().to_json()


def _fill_rq(stage: Stage, case: Case, count: int) -> Done:
    names = [str(number) for number in range(count)]
    done = _fill_plain(stage, case, names)
    queue = rq_plain.queue(stage.client)
    for name in names:
        queue.enqueue("bench.peers.rq_plain.crop", *_arguments(case, name), description="crop")
    return done


def _fill_celery(stage: Stage, case: Case, count: int) -> Done:
    names = [str(number) for number in range(count)]
    done = _fill_plain(stage, case, names)
    os.environ["BENCH_REDIS_URL"] = stage.url
    from celery import Celery  # not needed by the rows that do without Celery

    app = Celery("filler", broker=stage.url, backend=stage.url)
    app.conf.task_default_queue = "bench"
    for name in names:
        app.send_task("bench.crop", _arguments(case, name))
    app.close()
    return done


def _start_rq(kind: str) -> Callable[[Stage], object]:
    def start(stage: Stage) -> None:
        for _ in range(PROCESSES):
            command = (sys.executable, "-m", "bench.peers.rq_plain", kind)
            stage.start(f"rq-{kind}", *command, BENCH_REDIS_URL=stage.url)

    return start


def _start_rq_as_it_comes(stage: Stage) -> None:
    """`rq worker`: each job's fork imports the job's module, as it does for whoever runs it so."""
    command = (sys.executable, "-m", "rq.cli", "worker", rq_plain.QUEUE, "--url", stage.url)
    for _ in range(PROCESSES):
        stage.start("rq", *command, "--serializer", "json", "--path", str(ROOT))


def start_celery(stage: Stage) -> None:
    """`celery worker` with its defaults, two prefork processes."""
    options = ("--concurrency", str(PROCESSES), "--loglevel", "INFO")
    stage.start(
        "celery",
        *(sys.executable, "-m", "celery", "-A", "bench.peers.celery_plain", "worker", *options),
        BENCH_REDIS_URL=stage.url,
    )


# -- when to start the clock ----------------------------------------------------------------------


def _rq_is_warm(stage: Stage, taken: int) -> bool:
    """Whether each worker has done some jobs."""
    keys = get_keys(connection=stage.client)
    done = [int(stage.client.hget(key, SUCCESSES) or 0) for key in keys]
    return len(done) == PROCESSES and min(done) >= WARM_JOBS


def _celery_is_warm(stage: Stage, taken: int) -> bool:
    return taken >= 4 * PROCESSES + PROCESSES * WARM_JOBS  # 4 each are only fetched ahead


def _once(step: Callable[[], object]) -> Callable[[], int]:
    """Runs *step* for its errors; counts nothing."""

    def run() -> int:
        step()
        return 0

    return run


SUCCESSES = "successful_job_count"
OURS = Side(
    "ours", "worker.py, WORKERS=2", CropQueue.redis_queue_namespace_prefix + "cropsvc",
    _fill_ours, start_worker, _rq_is_warm,
)  # fmt: skip
RQ_KEY = CropQueue.redis_queue_namespace_prefix + rq_plain.QUEUE
STOCK = Side("stock", "rq worker, twice", RQ_KEY, _fill_rq, _start_rq_as_it_comes, _rq_is_warm)
PRELOADED = Side(
    "preloaded", "rq.Worker x2, the render imported before the first fork", RQ_KEY,
    _fill_rq, _start_rq("Worker"), _rq_is_warm,
)  # fmt: skip
SIMPLE = Side("simple", "SimpleWorker x2", RQ_KEY, _fill_rq, _start_rq("SimpleWorker"), _rq_is_warm)
CELERY = Side("celery", "prefork, 2", "bench", _fill_celery, start_celery, _celery_is_warm)
PEERS = (STOCK, PRELOADED, SIMPLE, CELERY)
SIDES = {side.name: side for side in (OURS, *PEERS)}
