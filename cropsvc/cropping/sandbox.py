"""The crop process: a warm child that does all Pillow work, under limits.

`python -m cropsvc.cropping.sandbox FD` serves the worker at the other end of the socket FD (see
process.py). It gets jobs by reference, fetches the upload, and renders and stores the result. So
pixels never pass through the worker, and no image can take the worker down.
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

from cropsvc.cropping.process import STORE_LOST, Reply, SandboxConfig
from cropsvc.imaging.params.parser import CropRequest
from cropsvc.imaging.render.render import Rendered, render
from cropsvc.model.errors import CropError, CropFailed, OutOfMemory
from cropsvc.model.job import JobRef, Output, Problem
from cropsvc.model.limits import Lifetimes, Limits
from cropsvc.observability.trace_context import context_of
from cropsvc.processes.memory_tuning import tune_allocator
from cropsvc.processes.parent_death import die_with_parent
from cropsvc.store import ClaimedJob, JobResult, Store, StoreUnavailable, connection
from cropsvc.store.objects import objects_for_worker

REPORT_SECONDS = 0.1  # the shortest time between two reports within a stage
QUIET_SECONDS = 0.05  # a job that is done by then reports no progress
REQUESTS = 64  # parsed requests that are kept: many uploads are cropped alike
LEAKY_ERRORS = (OutOfMemory.code, CropFailed.code)
OUT_OF_MEMORY = "the crop needs more memory than a job may use"


def main(fd: int) -> None:
    """Serve the worker at the other end of the socket *fd* until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe = Connection(fd)
    first = json.loads(pipe.recv_bytes())
    die_with_parent(first.pop("parent"))
    config = SandboxConfig(**first)
    _confine(config)
    client = connection.for_crop_process(config.redis_url)
    objects = objects_for_worker(config.blobs, config.seconds)
    store = Store(client, Lifetimes(config.result_ttl, config.source_ttl), (), objects)
    tune_allocator()
    while True:
        try:
            message = json.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            return
        _allow_cpu(config.seconds)
        reply = _Cropping(store, Limits(*config.limits), pipe).run(
            JobRef(message["owner"], message["id"]), message["source_home"]
        )
        pipe.send_bytes(json.dumps(asdict(reply)).encode())


class _Cropping:
    """One job in the crop process."""

    def __init__(self, store: Store, limits: Limits, pipe: Connection) -> None:
        self._store = store
        self._limits = limits
        self._pipe = pipe
        self._began = self._reported = time.monotonic()
        self._stage = ""
        self._marks = [("fetching", time.time())]

    def run(self, ref: JobRef, upload_from: str) -> Reply:
        try:
            job = self._store.begin(ref, upload_from)
            if not isinstance(job, ClaimedJob):
                return Reply(job)
            result = self._result(job)
            self._mark("storing")
            self._store.finish(job, result)
        except StoreUnavailable as error:
            return Reply(STORE_LOST, detail=str(error))
        problem = result.error or Problem("", "")
        marks = self._marks_of(job) if context_of(job.trace) else ()
        leaky = _has_leaked(result)
        return Reply(
            result.state, problem.code, problem.detail, job.trace, marks, needs_restart=leaky
        )

    def _mark(self, stage: str) -> None:
        if stage != self._marks[-1][0]:
            self._marks.append((stage, time.time()))

    def _marks_of(self, job: ClaimedJob) -> tuple[tuple[str, float], ...]:
        return (("queued", job.created / 1000), *self._marks, ("ended", time.time()))

    def _result(self, job: ClaimedJob) -> JobResult:
        try:
            return _result_of(self._rendered(job))
        except CropError as error:
            return JobResult("failed", error=Problem(error.code, error.detail))
        except MemoryError:
            return JobResult("failed", error=Problem(OutOfMemory.code, OUT_OF_MEMORY))

    def _rendered(self, job: ClaimedJob) -> list[Rendered]:
        if job.data is None:
            raise CropFailed("the upload is no longer stored")
        if hashlib.sha256(job.data).hexdigest() != job.source.sha256:
            raise CropFailed("the stored upload is damaged: its SHA-256 has changed (integrity)")
        return render(job.data, _request_of(job.request), self._limits, self._report)

    def _report(self, stage: str, fraction: float) -> None:
        self._mark(stage)
        now = time.monotonic()
        pause = QUIET_SECONDS if stage != self._stage else REPORT_SECONDS
        if now - (self._began if stage != self._stage else self._reported) < pause:
            return
        self._stage, self._reported = stage, now
        self._pipe.send_bytes(json.dumps({"stage": stage, "fraction": fraction}).encode())


@lru_cache(maxsize=REQUESTS)
def _request_of(text: str) -> CropRequest:
    return CropRequest.from_json(text)


def _result_of(rendered: list[Rendered]) -> JobResult:
    outputs = tuple(_output_of(one) for one in rendered)
    first = next((output.error for output in outputs if not output.error), outputs[0].error)
    if all(output.error for output in outputs):
        return JobResult("failed", outputs, error=first)
    return JobResult("done", outputs, tuple(one.data for one in rendered))


def _has_leaked(result: JobResult) -> bool:
    errors = [result.error, *(output.error for output in result.outputs)]
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
        quality=one.quality,
        decision=one.decision.to_json() if one.decision else None,
    )


def _confine(config: SandboxConfig) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":  # macOS does not enforce RLIMIT_AS
        resource.setrlimit(resource.RLIMIT_AS, (config.memory, config.memory))


def _allow_cpu(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(int(sys.argv[1]))
