"""The two tasks that a crop worker on Celery knows: a stored job, and an external crop."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from celery import Task
from celery.exceptions import Ignore, Reject
from celery.worker.strategy import default as stock_strategy

from cropsvc.cropping.runner import FUNCTION, JobRunner
from cropsvc.model.job import JobRef
from cropsvc.queues.celery.app import OWN_JOB
from cropsvc.queues.celery.external_crops import AlreadyAnswered, ExternalCrops, TaskRejected
from cropsvc.queues.celery.heartbeat import HEARTBEAT_SECONDS, Heartbeat
from cropsvc.store import Store, until_available

T = TypeVar("T")
Show = Callable[[str, float], None]

RETRY_SECONDS = 0.5  # between tries while Redis is away

log = structlog.get_logger("cropsvc.worker")


class OwnJob(Task):  # type: ignore[misc]  # Celery has no types
    """Runs a stored job: its arguments are owner, id, and the job its upload came with."""

    name = OWN_JOB
    ignore_result = True
    typing = False
    Strategy = f"{__name__}:at_once"

    def __init__(self, runner: JobRunner, life: Heartbeat) -> None:
        self._runner = runner
        self._life = life

    def run(self, *arguments: object, **named: object) -> None:
        """Run the job. One that has ended or was canceled is done at once."""
        ref, upload_from = _reference_of(arguments, named)
        began = time.monotonic()
        self._life.took(ref)
        self._runner.start(ref, upload_from)
        reporter = Reporter(self._life, self._runner.store, ref)
        reply = self._runner.finish(ref, upload_from, reporter)
        ms = (time.monotonic() - began) * 1000
        _retried(lambda: self._runner.log_end(ref, reply, ms))


class ForeignCrop(Task):  # type: ignore[misc]  # Celery has no types
    """Crops for another Celery program: takes bytes and a mapping of parameters, returns bytes."""

    name = FUNCTION
    throws = (TaskRejected,)
    typing = False
    Strategy = f"{__name__}:at_once"

    def __init__(self, crops: ExternalCrops, life: Heartbeat) -> None:
        self._crops = crops
        self._life = life

    def run(self, *arguments: object, **named: object) -> bytes:
        """Return the image's bytes. Raises TaskRejected with an error code and a detail."""
        task: str = self.request.id
        began = time.monotonic()
        self._show("queued", 0.0)
        try:
            data = _retried(
                lambda: self._crops.crop(task, _whole(arguments, named), self._reporter)
            )
        except AlreadyAnswered:
            raise Ignore from None
        except TaskRejected as refused:
            _log(task, "failed", refused.args[0], began)
            raise
        _log(task, "done", None, began)
        return data

    def after_return(
        self, _status: str, _value: object, task: str, arguments: object, *_: object
    ) -> None:
        """Delete the job once Celery's backend has the result."""
        _retried(lambda: self._crops.forget(task, list(arguments)))  # type: ignore[call-overload]

    def _reporter(self, ref: JobRef) -> "Reporter":
        return Reporter(self._life, self._crops.store, ref, self._show)

    def _show(self, stage: str, fraction: float) -> None:
        meta = {"current": round(fraction, 4), "stage": stage}
        self.update_state(state="PROGRESS", meta=meta)


class Reporter:
    """Reports a job's progress, and refreshes the heartbeats of worker and job."""

    def __init__(
        self, life: Heartbeat, store: Store, ref: JobRef, show: Show | None = None
    ) -> None:
        self._life, self._store, self._ref, self._show = life, store, ref, show
        self._due = time.monotonic() + HEARTBEAT_SECONDS

    def progress(self, stage: str, fraction: float) -> None:
        """Report progress to the job's waiters, and to the task's program."""
        self._store.report(self._ref, fraction, stage, None)
        if self._show:
            self._show(stage, fraction)

    def alive(self) -> None:
        """Refresh the heartbeats of worker and job if they are due."""
        self._life.beat()
        if time.monotonic() >= self._due:
            self._store.sign_of_life(self._ref)
            self._due = time.monotonic() + HEARTBEAT_SECONDS

    def is_stopped(self) -> bool:
        """Return False: only the job's record can stop it."""
        return False


def at_once(task: Any, app: Any, consumer: Any, **options: Any) -> Callable[..., Any]:
    """Return Celery's strategy without waiting for an ETA: that would block the worker."""
    handle = stock_strategy(task, app, consumer, **options)

    def received(message: Any, *rest: Any, **more: Any) -> Any:
        message.headers.pop("eta", None)
        return handle(message, *rest, **more)

    return received


def _reference_of(arguments: tuple[object, ...], named: dict[str, object]) -> tuple[JobRef, str]:
    match arguments:
        case (str(owner), str(job_id), str(upload_from)) if not named:
            return JobRef(owner, job_id), upload_from
    raise Reject(f"{OWN_JOB} takes an owner, a job's id and its upload's job", requeue=False)


def _whole(arguments: tuple[object, ...], named: dict[str, object]) -> list[object]:
    return [] if named else [*arguments]  # empty: refused, it takes no named ones


def _retried(step: Callable[[], T]) -> T:
    """Return *step*'s result once the store is available: each try goes on where it was."""
    return until_available(step, RETRY_SECONDS, _log_outage)


def _log_outage(error: Exception) -> None:
    log.error("the store is unavailable", reason=str(error))


def _log(task: str, state: str, code: str | None, began: float) -> None:
    ms = round((time.monotonic() - began) * 1000, 1)
    log.info("task", task=task, state=state, code=code, ms=ms)
