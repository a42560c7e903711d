"""The worker on Celery: one process, one crop at a time, its crop process beside it.

The pool is Celery's `solo`: a task runs in the process that holds the connection, so that nothing
stands between a death and RabbitMQ's redelivery (docs/design.md).
"""

import logging
import os
import signal
from typing import Any

import structlog
from celery import Celery, signals
from celery.apps.worker import Worker
from celery.worker import state
from celery.worker.consumer import Consumer

from cropsvc.cropping.runner import JobRunner
from cropsvc.imaging.params.presets import presets_of
from cropsvc.processes.memory_tuning import tune_allocator
from cropsvc.queues.celery import compression
from cropsvc.queues.celery.app import celery_app
from cropsvc.queues.celery.external_crops import ExternalCrops
from cropsvc.queues.celery.heartbeat import Heartbeat
from cropsvc.queues.celery.queue import CeleryJobQueue
from cropsvc.queues.celery.tasks import ForeignCrop, OwnJob
from cropsvc.settings.settings import Settings

IDLE_CHECK_SECONDS = 1.0  # how often an idle worker looks up
LONGEST_PAUSE = 2  # seconds between tries for a broker that is away; Celery's own grow to 30
# What Celery raises for headers that it does not expect: outages raise other errors.
MALFORMED = (TypeError, ValueError, LookupError, AttributeError, RecursionError)

log = structlog.get_logger("cropsvc.worker")


def work(settings: Settings, runner: JobRunner, *, burst: bool = False) -> int:
    """Work until a signal comes, or with *burst* until the queue is empty. Return the exit code."""
    app = celery_app(settings)
    compression.bound(2 * settings.max_upload)  # JSON holds an image as base64
    store = runner.store
    life = Heartbeat(store, CeleryJobQueue(app, store))
    limits = settings.limits
    app.finalize()
    for name in list(app.tasks):  # Celery's own, which run other tasks by name
        app.tasks.unregister(name)
    app.register_task(OwnJob(runner, life))
    crops = ExternalCrops(runner, limits, settings.max_upload, presets_of(settings))
    app.register_task(ForeignCrop(crops, life))
    _say_little(settings.log_level)
    worker = CropWorker(app, life, burst=burst)
    tune_allocator()
    worker.start()
    life.leave()
    return int(worker.exitcode or 0)


def _say_little(level: str) -> None:
    """We write the lines on each task; Celery must not set up its own log."""
    signals.setup_logging.connect(_keep_logging, weak=False)
    logging.getLogger("celery").setLevel("DEBUG" if level == "debug" else "WARNING")


def _keep_logging(**_: object) -> None:
    """Who receives this signal has set up logging."""


class CropWorker(Worker):  # type: ignore[misc]  # Celery has no types
    """Celery's worker program without its banner and most of its signals."""

    def __init__(self, app: Celery, life: Heartbeat, *, burst: bool) -> None:
        self._life = life
        self._burst = burst
        super().__init__(
            app,
            hostname=f"cropsvc-{os.getpid()}@{life.host}",
            pool="solo",
            concurrency=1,
            quiet=True,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )

    def on_start(self) -> None:
        """Have this worker look up at intervals, while it is connected and no crop runs."""
        super().on_start()
        self.timer.call_repeatedly(IDLE_CHECK_SECONDS, self._life.look)
        if self._burst:
            self.timer.call_repeatedly(IDLE_CHECK_SECONDS, self._end_when_empty)

    def on_consumer_ready(self, consumer: Any) -> None:
        """Announce this worker at once."""
        super().on_consumer_ready(consumer)
        self._life.look()

    def install_platform_tweaks(self, worker: Any) -> None:
        """SIGTERM and SIGINT end it after the running crop; stock, SIGHUP starts another."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: _stop())

    def _end_when_empty(self) -> None:
        if self._life.is_queue_empty():
            _stop()


def _stop() -> None:
    state.should_stop = os.EX_OK


class PlainConsumer(Consumer):  # type: ignore[misc]  # Celery has no types
    """Celery's consumer without the queues for delayed messages, and back soon after an outage."""

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc]  # Celery has no types
        """Its parts."""

        default_steps = tuple(
            step for step in Consumer.Blueprint.default_steps if "delayed_delivery" not in step
        )

    def create_task_handler(self, *args: Any, **options: Any) -> Any:
        """Return what takes a message. One that Celery fails on is refused, and ends no worker."""
        take = super().create_task_handler(*args, **options)

        def handle(message: Any) -> None:
            try:
                take(message)
            except MALFORMED as error:
                log.error("message refused: it is malformed", reason=repr(error)[:200])
                if not message.acknowledged:
                    message.reject_log_error(logging.getLogger(__name__), self.connection_errors)

        return handle

    def ensure_connected(self, conn: Any) -> Any:
        """*conn* once it is connected, however long that takes."""

        def complain(error: Exception, _pause: float) -> None:
            log.warning("waiting for the broker", reason=repr(error))

        return conn.ensure_connection(
            complain,
            interval_start=0.2,
            interval_step=0.4,
            interval_max=LONGEST_PAUSE,
            callback=state.maybe_shutdown,
        )
