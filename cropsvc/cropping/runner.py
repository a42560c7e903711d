"""Runs one job, whichever queue it came from."""

import logging
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from cropsvc.cropping.process import (
    STORE_LOST,
    CropProcess,
    CropProcessDied,
    JobTimeout,
    Reply,
)
from cropsvc.model.errors import CropFailed, OutOfMemory, TimedOut
from cropsvc.model.job import Job, JobRef, Problem
from cropsvc.observability import job_log
from cropsvc.observability.trace_context import context_of
from cropsvc.store import BeginVerdict, Store, StoreFull, StoreUnavailable, until_available

if TYPE_CHECKING:
    from cropsvc.observability.opentelemetry import Spans

T = TypeVar("T")

log = logging.getLogger(__name__)

FUNCTION = "cropsvc.crop"
"""The one function a job may name, on RQ and on Celery."""

WORKERS_DIED = "its workers died again and again"
ATTEMPTS = 2  # for a job whose crop process dies
RETRY_SECONDS = 0.5  # between tries while the store is unavailable
SHED = 20  # retained uploads that are deleted at a time while the store is full


class Reporter(Protocol):
    """How the queue shows a running job: progress and heartbeat."""

    def progress(self, stage: str, fraction: float) -> None:
        """Show that the job is in *stage*, and *fraction* (0 to 1) of it is done."""

    def alive(self) -> None:
        """Refresh heartbeats that are due. Called several times a second while the job runs."""

    def is_stopped(self) -> bool:
        """Return whether an operator stopped the job through the queue."""


@dataclass(frozen=True)
class JobRunner:
    """Runs jobs in a crop process: attempts, limits, cancels, and what a death means."""

    store: Store
    process: CropProcess
    seconds: int  # wall clock of one crop
    spans: "Spans | None" = None  # where traced jobs are exported

    def start(self, ref: JobRef, upload_from: str) -> None:
        """Send the job to the crop process; `finish` must follow."""
        try:
            self.process.send(ref, upload_from)
        except CropProcessDied:
            self.process.send(
                ref, upload_from
            )  # it died while idle: a new process does not count as an attempt

    def finish(self, ref: JobRef, upload_from: str, reporter: Reporter) -> Reply:
        """Return how the job went, after as many attempts as its kind of failure allows."""
        try:
            return self._finish(ref, upload_from, reporter)
        finally:
            self.process.start()  # a process that died is warm again before the next job comes

    def log_end(self, ref: JobRef, reply: Reply, ms: float) -> None:
        """Log the job's end after *ms* milliseconds; if it had ended before, its recorded state."""
        had_ended = reply.state == BeginVerdict.ALREADY_ENDED
        record = self.store.load(ref) if had_ended else None
        if isinstance(record, Job):
            job_log.log_job(record)
            return
        self._trace_end(ref, reply, ms)
        job_log.log_end(ref.id, reply.state, code=reply.code, ms=ms, trace=reply.trace)

    def _trace_end(self, ref: JobRef, reply: Reply, ms: float) -> None:
        context = context_of(reply.trace)
        if self.spans and context:
            marks = reply.marks or self._few_marks(ref, ms)
            self.spans.export_spans(context, marks, ref.id, reply.code)

    def _few_marks(self, ref: JobRef, ms: float) -> list[tuple[str, float]]:
        """Return the marks of a job whose crop process could not report them."""
        now = time.time()
        began, record = now - ms / 1000, self.store.load(ref)
        created = record.created / 1000 if isinstance(record, Job) else began
        return [("queued", created), ("cropping", began), ("ended", now)]

    def _finish(self, ref: JobRef, upload_from: str, reporter: Reporter) -> Reply:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                reply = self._reply(ref, upload_from, reporter)
            except JobTimeout:
                self._count_death("overdue")
                return self._fail(ref, TimedOut.code, self._overdue())
            except CropProcessDied as death:
                if _retried(lambda: self._is_stopped(ref, reporter)):
                    _retried(lambda: self.store.cancel(ref))
                    return Reply("canceled", trace=self._trace(ref))
                self._count_death(death.cause)
                if death.status == -signal.SIGXCPU:
                    return self._fail(ref, TimedOut.code, self._overdue())
                if attempt == ATTEMPTS:
                    return self._fail(ref, *_meaning_of(death))
                self.start(ref, upload_from)
            else:
                return self._settled(ref, reply)
        raise AssertionError("unreachable")

    def _reply(self, ref: JobRef, upload_from: str, reporter: Reporter) -> Reply:
        while True:
            reply = self.process.wait(
                self.seconds, _forgiving(reporter), lambda: self._look_up(ref, reporter)
            )
            if reply.state != STORE_LOST:
                return reply
            self._await_store(reporter)
            self.start(ref, upload_from)

    def _look_up(self, ref: JobRef, reporter: Reporter) -> None:
        # The crop goes on while the store is unavailable; its result waits for the store.
        with suppress(StoreUnavailable):
            reporter.alive()
        with suppress(StoreUnavailable):  # a full store refuses heartbeats, but can be read
            if self._is_stopped(ref, reporter):
                self.process.kill()

    def _is_stopped(self, ref: JobRef, reporter: Reporter) -> bool:
        return reporter.is_stopped() or self.store.is_stopped(ref)

    def _await_store(self, reporter: Reporter) -> None:
        """Wait until the store accepts writes. A full store answers a PING."""
        until_available(lambda: self._check_store(reporter), RETRY_SECONDS, self._make_room)

    def _check_store(self, reporter: Reporter) -> None:
        """Raise what the store raises while it cannot be used."""
        self.store.check_writable()
        if self.store.keeps_objects:
            reporter.alive()  # while only the objects are away, the job stays this worker's own
            self.store.check_objects()

    def _make_room(self, error: Exception) -> None:
        if isinstance(error, StoreFull):
            with suppress(StoreUnavailable):  # the next try shows whether it helped
                self.store.shed_sources(SHED)

    def _settled(self, ref: JobRef, reply: Reply) -> Reply:
        if reply.state == BeginVerdict.TOO_MANY_RUNS:
            return self._fail(ref, CropFailed.code, WORKERS_DIED)
        return reply

    def _fail(self, ref: JobRef, code: str, detail: str) -> Reply:
        _retried(lambda: self.store.fail(ref, Problem(code, detail)))
        return Reply("failed", code, detail, self._trace(ref))

    def _trace(self, ref: JobRef) -> str:
        """Return the trace for a reply that the crop process could not send."""
        return _retried(lambda: self.store.trace(ref))

    def _count_death(self, cause: str) -> None:
        """Count a death. A full store may refuse that, which must not hold the job up."""
        try:
            self.store.count({f"crop_process_deaths:{cause}": 1})
        except StoreUnavailable as error:
            log.warning("the death of a crop process (%s) was not counted: %s", cause, error)

    def _overdue(self) -> str:
        return f"the crop took longer than the job timeout of {self.seconds} s"


def _forgiving(reporter: Reporter) -> Callable[[str, float], None]:
    """Return *reporter*'s `progress`, which may fail while the store is unavailable."""

    def report(stage: str, fraction: float) -> None:
        with suppress(StoreUnavailable):
            reporter.progress(stage, fraction)

    return report


def _retried(step: Callable[[], T]) -> T:
    return until_available(step, RETRY_SECONDS)


def _meaning_of(death: CropProcessDied) -> tuple[str, str]:
    if death.out_of_memory:
        return OutOfMemory.code, "the crop needs more memory than a job may use"
    if death.status < 0:
        return CropFailed.code, f"{death.cause} ended the crop process, twice"
    return CropFailed.code, f"the crop process exited with status {death.status}, twice"
