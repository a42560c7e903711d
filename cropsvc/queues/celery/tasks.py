"""The two tasks that a Celery worker of ours knows: a job of our store, and a foreign crop."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from celery import Task
from celery.exceptions import Ignore, Reject
from celery.worker.strategy import default as stock_strategy
from redis.exceptions import RedisError

from cropsvc.cropping.runner import FUNCTION, JobRunner
from cropsvc.model.job import JobRef
from cropsvc.queues.celery.app import OWN_JOB
from cropsvc.queues.celery.external_crops import AlreadyTold, ExternalCrops, TaskRejected
from cropsvc.queues.celery.heartbeat import HEARTBEAT_SECONDS, Heartbeat
from cropsvc.store import Store

T = TypeVar("T")
Show = Callable[[str, float], None]

RETRY_SECONDS = 0.5  # between tries while Redis is away

log = structlog.get_logger("cropsvc.worker")


class OwnJob(Task):  # type: ignore[misc]  # Celery has no types
    """Has the crop process do a job of ours: owner, id, and the job its upload came with."""

    name = OWN_JOB
    ignore_result = True
    typing = False
    Strategy = f"{__name__}:at_once"

    def __init__(self, runner: JobRunner, life: Heartbeat) -> None:
        self._runner = runner
        self._life = life

    def run(self, *arguments: object, **named: object) -> None:
        """Does the job; one that has ended, or was canceled, is done at once."""
        ref, upload_from = _reference_of(arguments, named)
        began = time.monotonic()
        self._life.took(ref)
        self._runner.start(ref, upload_from)
        reporter = _Reporter(self._life, self._runner.store, ref)
        reply = self._runner.finish(ref, upload_from, reporter)
        ms = (time.monotonic() - began) * 1000
        _patiently(lambda: self._runner.log_end(ref, reply, ms))


class ForeignCrop(Task):  # type: ignore[misc]  # Celery has no types
    """The image's bytes for a program of its own: bytes and a mapping of parameters."""

    name = FUNCTION
    throws = (TaskRejected,)
    typing = False
    Strategy = f"{__name__}:at_once"

    def __init__(self, crops: ExternalCrops, life: Heartbeat) -> None:
        self._crops = crops
        self._life = life

    def run(self, *arguments: object, **named: object) -> bytes:
        """Crops. Raises TaskRefused with a code of the contract and words."""
        task: str = self.request.id
        began = time.monotonic()
        self._show("queued", 0.0)
        try:
            data = _patiently(lambda: self._crops.crop(task, _whole(arguments, named), self._told))
        except AlreadyTold:
            raise Ignore from None
        except TaskRejected as refused:
            _log(task, "failed", refused.args[0], began)
            raise
        _log(task, "done", None, began)
        return data

    def after_return(
        self, _status: str, _value: object, task: str, arguments: object, *_: object
    ) -> None:
        """The result is with Celery's backend now: ours goes."""
        _patiently(lambda: self._crops.forget(task, list(arguments)))  # type: ignore[call-overload]

    def _told(self, ref: JobRef) -> "_Reporter":
        return _Reporter(self._life, self._crops.store, ref, self._show)

    def _show(self, stage: str, fraction: float) -> None:
        meta = {"current": round(fraction, 4), "stage": stage}
        self.update_state(state="PROGRESS", meta=meta)


class _Reporter:
    """Tells a job's progress, and that worker and job live."""

    def __init__(
        self, life: Heartbeat, store: Store, ref: JobRef, show: Show | None = None
    ) -> None:
        self._life, self._store, self._ref, self._show = life, store, ref, show
        self._due = time.monotonic() + HEARTBEAT_SECONDS

    def progress(self, stage: str, fraction: float) -> None:
        """Tells who waits for the job, and shows it to the task's own program."""
        self._store.report(self._ref, fraction, stage, None)
        if self._show:
            self._show(stage, fraction)

    def alive(self) -> None:
        """Heartbeats of worker and job, when they are due."""
        self._life.beat()
        if time.monotonic() >= self._due:
            self._store.sign_of_life(self._ref)
            self._due = time.monotonic() + HEARTBEAT_SECONDS

    def is_stopped(self) -> bool:
        """Never: the record alone says so."""
        return False


def at_once(task: Any, app: Any, consumer: Any, **options: Any) -> Callable[..., Any]:
    """Celery's strategy, but an ETA is not waited for: it would take the worker's one place."""
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
    return [] if named else [*arguments]  # which is refused: there are no names to take


def _patiently(step: Callable[[], T]) -> T:
    """*step*'s result, tried again while Redis is away: each try goes on where it was."""
    while True:
        try:
            return step()
        except RedisError as error:
            log.error("Redis cannot be used", reason=str(error))
            time.sleep(RETRY_SECONDS)


def _log(task: str, state: str, code: str | None, began: float) -> None:
    ms = round((time.monotonic() - began) * 1000, 1)
    log.info("task", task=task, state=state, code=code, ms=ms)
