"""The facts of a job as frozen values, and their form in a Redis hash."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

State = Literal["queued", "running", "done", "failed", "canceled", "deleted"]
PENDING = frozenset({"queued", "running"})


@dataclass(frozen=True)
class JobRef:
    """Which job: its owner (`-` when no API keys are set) and its id."""

    owner: str
    id: str


@dataclass(frozen=True)
class Problem:
    """Why a job or an output failed: a code of the contract and a message."""

    code: str
    detail: str


@dataclass(frozen=True)
class SourceInfo:
    """The upload: format by content, displayed size in pixels, bytes, SHA-256 in hex."""

    format: str
    width: int
    height: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Output:
    """One crop of a job; sizes in pixels, region as (x, y, width, height)."""

    name: str
    state: State
    width: int | None = None
    height: int | None = None
    format: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    region: tuple[int, int, int, int] | None = None
    notes: tuple[str, ...] = ()
    quality: int | None = None  # that `max_bytes` left
    decision: dict[str, Any] | None = None  # how the image itself placed the region
    error: Problem | None = None


@dataclass(frozen=True)
class Webhook:
    """Who wants to hear of a job's end, and how the delivery goes; times in ms."""

    url: str
    state: str = "waiting"  # delivered, failed
    attempts: int = 0
    last_status: int | None = None  # None: no answer yet
    next_at: int | None = None


@dataclass(frozen=True)
class Job:
    """A job as the store knows it. Times are milliseconds since the epoch."""

    ref: JobRef
    state: State
    progress: float
    stage: str
    created: int
    source: SourceInfo
    request: str  # canonical JSON of imaging.params.Request
    outputs: tuple[Output, ...]
    results_from: (
        str  # the job whose result bytes these are: its own, or the one it was cached from
    )
    upload_from: str  # the job with which the upload came
    started: int | None = None
    ended: int | None = None
    expires: int | None = None
    error: Problem | None = None
    cached: bool = False
    position: int | None = None
    trace: str = ""  # of the request that made the job
    webhook: Webhook | None = None
    file_name: str = ""  # of the upload, as the client named it; only the job's page shows it
    awaited: bool = False  # who submitted it waits for the first output's bytes; only written

    @property
    def id(self) -> str:
        """The job's id."""
        return self.ref.id

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended, one way or another."""
        return self.state not in PENDING

    def output(self, name: str | None) -> Output | None:
        """Return the named output, or the first one; None if there is no such name."""
        if name is None:
            return self.outputs[0]
        return next((output for output in self.outputs if output.name == name), None)


def source_info(data: bytes, image_format: str, width: int, height: int) -> SourceInfo:
    """Return the facts about an upload; *width* and *height* as displayed, in pixels."""
    digest = hashlib.sha256(data).hexdigest()
    return SourceInfo(image_format, width, height, len(data), digest)


def new_job(ref: JobRef, now: int, source: SourceInfo, request: str, names: Iterable[str]) -> Job:
    """Return a job as it begins at *now* (ms), with an output for each of *names*.

    *request* is the crop request's canonical JSON. The upload is the job's own.
    """
    return Job(
        ref=ref,
        state="queued",
        progress=0.0,
        stage="queued",
        created=now,
        source=source,
        request=request,
        outputs=tuple(Output(name, "queued") for name in names),
        results_from=ref.id,
        upload_from=ref.id,
    )


def job_fields(job: Job) -> dict[str, str | int | float]:
    """Return the hash fields of a new job's record."""
    hook = {"hook": job.webhook.url} if job.webhook else {}
    named = {"file": job.file_name} if job.file_name else {}
    awaited = {"awaited": 1} if job.awaited else {}
    return {
        **hook,
        **named,
        **awaited,
        "state": job.state,
        "progress": job.progress,
        "stage": job.stage,
        "created": job.created,
        "source": dump(job.source),
        "request": job.request,
        "outputs": dump_outputs(job.outputs),
        "home": job.results_from,
        "source_home": job.upload_from,
        "trace": job.trace,
    }


def job_from_fields(ref: JobRef, fields: Mapping[bytes, bytes], position: int | None) -> Job:
    """Return the job that a record's hash holds; *position* is its place in the queue, if any."""
    state: State = fields[b"state"].decode()  # type: ignore[assignment]  # only we write it
    error = fields.get(b"error")
    problem = Problem(**json.loads(error)) if error else None
    return Job(
        ref=ref,
        state=state,
        progress=float(fields[b"progress"]),
        stage=fields[b"stage"].decode(),
        created=int(fields[b"created"]),
        started=_time(fields, b"started"),
        ended=_time(fields, b"ended"),
        expires=_time(fields, b"expires"),
        source=SourceInfo(**json.loads(fields[b"source"])),
        request=fields[b"request"].decode(),
        outputs=_outputs_as_of(state, load_outputs(fields[b"outputs"]), problem),
        results_from=fields[b"home"].decode(),
        upload_from=fields[b"source_home"].decode(),
        error=problem,
        cached=b"cached" in fields,
        position=position if state == "queued" else None,
        trace=fields.get(b"trace", b"").decode(),
        webhook=_webhook(fields),
        file_name=fields.get(b"file", b"").decode(),
    )


def _webhook(fields: Mapping[bytes, bytes]) -> Webhook | None:
    url = fields.get(b"hook")
    if url is None:
        return None
    return Webhook(
        url=url.decode(),
        state=fields.get(b"hook_state", b"waiting").decode(),
        attempts=int(fields.get(b"hook_attempts", b"0")),
        last_status=_time(fields, b"hook_status"),
        next_at=_time(fields, b"hook_next"),
    )


def dump(value: object) -> str:
    """Compact JSON of values and the frozen dataclasses here; `asdict` takes ten times as long."""
    return json.dumps(value, separators=(",", ":"), default=vars)


def dump_outputs(outputs: tuple[Output, ...]) -> str:
    """Return the outputs as JSON for the record."""
    return dump(outputs)


def load_outputs(text: bytes | str) -> tuple[Output, ...]:
    """Return the outputs from the record's JSON."""
    return tuple(_output(**fields) for fields in json.loads(text))


def _output(region: Any, notes: Any, error: Any, **fields: Any) -> Output:
    return Output(
        region=tuple(region) if region else None,
        notes=tuple(notes),
        error=Problem(**error) if error else None,
        **fields,
    )


def _outputs_as_of(
    state: State, outputs: tuple[Output, ...], problem: Problem | None
) -> tuple[Output, ...]:
    """Until a job is done its outputs share its state, and the reason if it failed as a whole."""
    if state == "done":
        return outputs
    return tuple(
        output if output.error else replace(output, state=state, error=problem)
        for output in outputs
    )


def _time(fields: Mapping[bytes, bytes], name: bytes) -> int | None:
    value = fields.get(name)
    return int(value) if value else None
