"""Runs the worker that the settings ask for: one process here, or several under a supervisor."""

import logging
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import astuple

from redis import Redis

from cropsvc.cropping.process import CropProcess, SandboxConfig
from cropsvc.cropping.runner import JobRunner
from cropsvc.observability import logs
from cropsvc.observability.trace_context import spans_of
from cropsvc.processes.supervisor import Program, Supervisor
from cropsvc.queues.factory import run_worker
from cropsvc.settings.settings import Settings
from cropsvc.store import Store, StoreFull, StoreUnavailable, connection
from cropsvc.store.objects import objects_for_worker
from cropsvc.store.sweeper import Sweeper

STOP_SECONDS = 5  # beyond the job's limit, for a worker that must stop
RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)


def work(settings: Settings, environ: Mapping[str, str], *, burst: bool = False) -> None:
    """Work until a signal comes, or with *burst* until the queue is empty.

    *environ* is what the settings came from, for the processes started from here.
    """
    logs.configure(settings.log_format, settings.log_level)
    if settings.workers > 1 and not burst:
        _supervise(settings, environ)
    else:
        _work_here(settings, burst=burst)


def _supervise(settings: Settings, environ: Mapping[str, str]) -> None:
    one = {**environ, "WORKERS": "1"}
    command = (sys.executable, *sys.argv)
    grace = settings.job_timeout + STOP_SECONDS
    with Supervisor() as supervisor:
        supervisor.start(
            Program(f"worker-{number}", command, one, grace=grace)
            for number in range(1, settings.workers + 1)
        )
        supervisor.run()


def _work_here(settings: Settings, *, burst: bool) -> None:
    # Until the queue's own handler is there. As process 1 of a container, which Kubernetes makes
    # it, a process without a handler ignores SIGTERM.
    signal.signal(signal.SIGTERM, _end)
    process = CropProcess(_confines(settings))
    process.start()  # from the main thread: its life is tied to it
    client = _connected(settings)
    objects = objects_for_worker(settings.blobs, settings.job_timeout)
    store = Store(client, settings.lifetimes, (), objects)
    Sweeper(store).start()
    spans = spans_of(settings.otlp_endpoint, "cropsvc-worker")
    runner = JobRunner(store, process, settings.job_timeout, spans)
    code = run_worker(settings, runner, burst=burst)
    process.stop()
    if code:
        sys.exit(code)


def _end(_number: int, _frame: object) -> None:
    """End at once: no job has been taken yet."""
    sys.exit(0)


def _confines(settings: Settings) -> SandboxConfig:
    return SandboxConfig(
        redis_url=settings.redis_url,
        memory=settings.job_memory,
        seconds=settings.job_timeout,
        result_ttl=settings.result_ttl,
        source_ttl=settings.source_ttl,
        limits=astuple(settings.limits),
        blobs=settings.blobs,
    )


def _connected(settings: Settings) -> Redis:
    """Return a client once the server can be written to, however long that takes."""
    client = connection.for_worker(settings.redis_url)
    logged = ""
    while True:
        try:
            Store(client, settings.lifetimes).check_writable()
        except StoreFull:
            return client  # a worker makes room
        except StoreUnavailable as error:
            if str(error) != logged:  # one line for each kind of trouble
                logged = str(error)
                log.warning("waiting for Redis: %s", logged)
            time.sleep(RETRY_SECONDS)
        else:
            return client
