"""What goes into the store and comes out of it, beside the records."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from cropsvc.model.job import (
    JobRef,
    Output,
    Problem,
    SourceInfo,
    State,
)


@dataclass(frozen=True)
class Lifetimes:
    """How long things live after a job ended, in seconds."""

    result: int
    source: int


@dataclass(frozen=True)
class QueueSlot:
    """A place in the queue: for which job, when (ms), and how many wait before it."""

    ref: JobRef
    now: int
    waiting: int
    is_reserved: bool = True  # else it is asked for together with the submit


@dataclass(frozen=True)
class ClaimedJob:
    """What the crop process needs: the source's bytes and facts, the request's JSON."""

    ref: JobRef
    data: bytes | None
    source: SourceInfo
    request: str
    upload_from: str
    created: int
    started: int
    trace: str


@dataclass(frozen=True)
class JobResult:
    """How a job ended: its outputs with their bytes, or why it failed."""

    state: State
    outputs: tuple[Output, ...] = ()
    blobs: tuple[bytes, ...] = ()  # one for each output, empty for a failed one
    error: Problem | None = None


@dataclass(frozen=True)
class UnfinishedJobs:
    """The jobs that have not ended: since when they wait, when they last gave a sign of life.

    Times are milliseconds since the epoch, by the store's clock as `now`.
    """

    now: int
    waiting: Mapping[JobRef, int]
    running: Mapping[JobRef, int]


@dataclass(frozen=True)
class IdempotencyClaim:
    """An Idempotency-Key's claim: the hash of the key, and of the request it stands for."""

    key: str
    fingerprint: str


class QueueFull(Exception):
    """No place is free; how many wait already."""

    def __init__(self, waiting: int) -> None:
        super().__init__(waiting)
        self.waiting = waiting


def fingerprint(sha256: str, request: str) -> str:
    """What makes two submits the same: the bytes' SHA-256 and the canonical request."""
    return hashlib.sha256(f"{sha256} {request}".encode()).hexdigest()
