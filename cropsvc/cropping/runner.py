"""What a worker does for one job, whichever queue it came from."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from redis.exceptions import RedisError

from cropsvc.cropping.process import CropProcess, CropProcessDied, JobTimeout, Reply
from cropsvc.model.errors import CropFailed, OutOfMemory, TimedOut
from cropsvc.model.job import Job, JobRef, Problem
from cropsvc.observability import job_log
from cropsvc.observability.trace_context import context_of
from cropsvc.store import Store

if TYPE_CHECKING:
    from cropsvc.observability.opentelemetry import Spans

T = TypeVar("T")

FUNCTION = "cropsvc.crop"
"""The one function a job may name, on RQ and on Celery."""

ATTEMPTS = 2  # for a crop process that dies by itself
LOST_SECONDS = 0.5  # between looks for a store that is away


class Reporter(Protocol):
    """How the engine shows a running job: progress, and a sign of life."""

    def progress(self, stage: str, fraction: float) -> None:
        """The job is in *stage*, *fraction* (0 to 1) of it is done."""

    def alive(self) -> None:
        """Called several times a second while the job runs."""

    def is_stopped(self) -> bool:
        """Whether an operator stopped the job through the engine."""


@dataclass(frozen=True)
class JobRunner:
    """Runs jobs in a crop process: attempts, limits, cancels, and what a death means."""

    store: Store
    process: CropProcess
    seconds: int  # wall clock of one crop
    spans: "Spans | None" = None  # where a traced job is told

    def start(self, ref: JobRef, upload_from: str) -> None:
        """Lets the crop process begin; `finish` must follow."""
        try:
            self.process.send(ref, upload_from)
        except CropProcessDied:
            self.process.send(ref, upload_from)  # it had died idle; a new one is no attempt

    def finish(self, ref: JobRef, upload_from: str, reporter: Reporter) -> Reply:
        """How the job went, after as many attempts as its kind of failure allows."""
        try:
            return self._finish(ref, upload_from, reporter)
        finally:
            self.process.start()  # if it died: warm again before the next job comes

    def log_end(self, ref: JobRef, reply: Reply, ms: float) -> None:
        """Logs the job's end after *ms* milliseconds; `over` as whatever it had ended before."""
        record = self.store.load(ref) if reply.state == "over" else None
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
        """Of a job whose crop process could not tell them: its wait, its crop, its end."""
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
                if self._patiently(lambda: self._is_stopped(ref, reporter)):
                    self._patiently(lambda: self.store.cancel(ref))
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
            if reply.state != "lost":
                return reply
            self._await_store()
            self.start(ref, upload_from)

    def _look_up(self, ref: JobRef, reporter: Reporter) -> None:
        try:
            reporter.alive()
            stopped = self._is_stopped(ref, reporter)
        except RedisError:
            return  # the crop goes on; its result waits for the store
        if stopped:
            self.process.kill()

    def _is_stopped(self, ref: JobRef, reporter: Reporter) -> bool:
        return reporter.is_stopped() or self.store.is_stopped(ref)

    def _await_store(self) -> None:
        """Until it takes writes: one that is full answers a PING."""
        self._patiently(self.store.check_writable)

    def _patiently(self, step: Callable[[], T]) -> T:
        """*step*'s result, tried again while the store is away or full."""
        while True:
            try:
                return step()
            except RedisError:
                time.sleep(LOST_SECONDS)

    def _settled(self, ref: JobRef, reply: Reply) -> Reply:
        if reply.state == "spent":
            return self._fail(ref, CropFailed.code, "its workers died again and again")
        return reply

    def _fail(self, ref: JobRef, code: str, detail: str) -> Reply:
        self._patiently(lambda: self.store.fail(ref, Problem(code, detail)))
        return Reply("failed", code, detail, self._trace(ref))

    def _trace(self, ref: JobRef) -> str:
        """For a reply that the crop process could not give."""
        return self._patiently(lambda: self.store.trace(ref))

    def _count_death(self, cause: str) -> None:
        self._patiently(lambda: self.store.count({f"crop_process_deaths:{cause}": 1}))

    def _overdue(self) -> str:
        return f"the crop took longer than the {self.seconds} s that a job may take"


def _forgiving(reporter: Reporter) -> Callable[[str, float], None]:
    """Tells progress, which may be lost while the store is away: the crop goes on."""

    def log_end(stage: str, fraction: float) -> None:
        with suppress(RedisError):
            reporter.progress(stage, fraction)

    return log_end


def _meaning_of(death: CropProcessDied) -> tuple[str, str]:
    if death.out_of_memory:
        return OutOfMemory.code, "the crop needs more memory than a job may use"
    if death.status < 0:
        return CropFailed.code, f"the crop process was ended by {death.cause}, twice"
    return CropFailed.code, f"the crop process ended by itself with status {death.status}, twice"
