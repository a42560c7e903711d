"""The crop process: a warm child that does all Pillow work, under limits.

`python -m cropsvc.cropping.sandbox FD` serves the worker at the other end of the socket FD (see
crop_process.py). It gets jobs by reference, fetches the upload, renders and stores the result
itself, so pixels never pass through the worker, and whatever a picture does to it, the worker
lives.
"""

import hashlib
import json
import resource
import signal
import sys
import time
from dataclasses import asdict
from functools import lru_cache
from multiprocessing.connection import Connection

from redis.exceptions import RedisError

from cropsvc.cropping.process import Reply, SandboxConfig
from cropsvc.imaging.params.parser import CropRequest
from cropsvc.imaging.render.render import Rendered, render
from cropsvc.model.errors import CropError, CropFailed, OutOfMemory
from cropsvc.model.job import JobRef, Output, Problem
from cropsvc.model.limits import Limits
from cropsvc.observability.trace_context import context_of
from cropsvc.processes.memory_tuning import tune_allocator
from cropsvc.processes.parent_death import die_with_parent
from cropsvc.store import ClaimedJob, JobResult, Lifetimes, Store, connection

REPORT_SECONDS = 0.1  # progress within a stage is told no more often
QUIET_SECONDS = 0.05  # a job that is done by then tells no progress
REQUESTS = 64  # the last ones are kept parsed: many uploads are cropped alike
LEAKY_ERRORS = (OutOfMemory.code, CropFailed.code)
OUT_OF_MEMORY = "the crop needs more memory than a job may use"


def main(fd: int) -> None:
    """Serves the worker at the other end of the socket *fd* until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe = Connection(fd)
    told = json.loads(pipe.recv_bytes())
    die_with_parent(told.pop("parent"))
    confines = SandboxConfig(**told)
    _confine(confines)
    client = connection.for_crop_process(confines.redis_url)
    store = Store(client, Lifetimes(confines.result_ttl, confines.source_ttl))
    tune_allocator()
    while True:
        try:
            message = json.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            return
        _allow_cpu(confines.seconds)
        reply = _Cropping(store, Limits(*confines.limits), pipe).run(
            JobRef(message["owner"], message["id"]), message["source_home"]
        )
        pipe.send_bytes(json.dumps(asdict(reply)).encode())


class _Cropping:
    """One job in the crop process."""

    def __init__(self, store: Store, limits: Limits, pipe: Connection) -> None:
        self._store = store
        self._limits = limits
        self._pipe = pipe
        self._began = self._told = time.monotonic()
        self._stage = ""
        self._marks = [("fetching", time.time())]

    def run(self, ref: JobRef, upload_from: str) -> Reply:
        try:
            work = self._store.begin(ref, upload_from)
            if isinstance(work, str):
                return Reply(work)
            outcome = self._outcome(work)
            self._mark("storing")
            self._store.finish_work(work, outcome)
        except RedisError as error:
            return Reply("lost", detail=str(error))
        problem = outcome.error or Problem("", "")
        marks = self._marks_of(work) if context_of(work.trace) else ()
        worn = _has_worn(outcome)
        return Reply(
            outcome.state, problem.code, problem.detail, work.trace, marks, needs_restart=worn
        )

    def _mark(self, stage: str) -> None:
        if stage != self._marks[-1][0]:
            self._marks.append((stage, time.time()))

    def _marks_of(self, work: ClaimedJob) -> tuple[tuple[str, float], ...]:
        return (("queued", work.created / 1000), *self._marks, ("ended", time.time()))

    def _outcome(self, work: ClaimedJob) -> JobResult:
        try:
            return _outcome_of(self._rendered(work))
        except CropError as error:
            return JobResult("failed", error=Problem(error.code, error.detail))
        except MemoryError:
            return JobResult("failed", error=Problem(OutOfMemory.code, OUT_OF_MEMORY))

    def _rendered(self, work: ClaimedJob) -> list[Rendered]:
        if work.data is None:
            raise CropFailed("the upload is no longer stored")
        if hashlib.sha256(work.data).hexdigest() != work.source.sha256:
            raise CropFailed("the stored upload is not what was handed in (integrity)")
        return render(work.data, _request_of(work.request), self._limits, self._report)

    def _report(self, stage: str, fraction: float) -> None:
        self._mark(stage)
        now = time.monotonic()
        pause = QUIET_SECONDS if stage != self._stage else REPORT_SECONDS
        if now - (self._began if stage != self._stage else self._told) < pause:
            return
        self._stage, self._told = stage, now
        self._pipe.send_bytes(json.dumps({"stage": stage, "fraction": fraction}).encode())


@lru_cache(maxsize=REQUESTS)
def _request_of(text: str) -> CropRequest:
    return CropRequest.from_json(text)


def _outcome_of(rendered: list[Rendered]) -> JobResult:
    outputs = tuple(_output_of(one) for one in rendered)
    first = next((output.error for output in outputs if not output.error), outputs[0].error)
    if all(output.error for output in outputs):
        return JobResult("failed", outputs, error=first)
    return JobResult("done", outputs, tuple(one.data for one in rendered))


def _has_worn(outcome: JobResult) -> bool:
    errors = [outcome.error, *(output.error for output in outcome.outputs)]
    return any(error.code in LEAKY_ERRORS for error in errors if error)


def _output_of(one: Rendered) -> Output:
    if one.error:
        return Output(one.name, "failed", error=Problem(one.error.code, one.error.detail))
    return Output(
        name=one.name,
        state="done",
        width=one.width,
        height=one.height,
        format=one.format,
        bytes=len(one.data),
        sha256=hashlib.sha256(one.data).hexdigest(),
        region=one.region,
        notes=one.notes,
    )


def _confine(confines: SandboxConfig) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # macOS does not enforce RLIMIT_AS
        resource.setrlimit(resource.RLIMIT_AS, (confines.memory, confines.memory))


def _allow_cpu(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(int(sys.argv[1]))
