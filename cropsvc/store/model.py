"""What goes into the store and comes out of it, apart from the job records."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from typing import TYPE_CHECKING

from cropsvc.model.job import (
    JobRef,
    Output,
    Problem,
    SourceInfo,
    State,
)

if TYPE_CHECKING:
    from redis.client import Pipeline

Commands = Callable[["Pipeline"], object]
"""What a queue adds to a transaction of the store. The store begins and executes it."""


@dataclass(frozen=True)
class ReservedSlot:
    """A slot in the queue: for which job, since when (ms), and how many jobs wait before it."""

    ref: JobRef
    now: int
    waiting: int


@dataclass(frozen=True)
class DeferredSlot:
    """No slot yet: the submit reserves one, which saves a round trip."""

    ref: JobRef
    now: int


@dataclass(frozen=True)
class NoSlotNeeded:
    """No slot: the request repeats a job that its Idempotency-Key claims."""

    ref: JobRef
    now: int


QueueSlot = ReservedSlot | DeferredSlot | NoSlotNeeded


class Deleted(Enum):
    """What is left of a job that was deleted."""

    DELETED = "deleted"


DELETED = Deleted.DELETED


class BeginVerdict(StrEnum):
    """What became of a worker's attempt to claim a job; begin.lua returns these."""

    STARTED = "started"
    ALREADY_ENDED = "already-ended"
    TOO_MANY_RUNS = "too-many-runs"


BOUNDS = ("0.01", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60")
"""Upper bounds, in seconds, of the histogram buckets for waits and runs."""


class ShareVerdict(IntEnum):
    """Whether a new job could use earlier results; share.lua returns these."""

    NOTHING_TO_SHARE = 0
    SHARED = 1
    SHARED_WITHOUT_UPLOAD = 2  # the upload of the earlier job is gone: store the new one
    CLAIM_TAKEN = 3


@dataclass(frozen=True)
class JobChange:
    """A message about a job: it ended, or it moved on."""

    ref: JobRef
    is_end: bool
    carried: bytes | None = None  # of a job that is done: what `done_job` reads


@dataclass(frozen=True)
class ClaimedJob:
    """What the crop process needs: the upload's bytes and facts, the request's JSON."""

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
    """The jobs that have not ended: since when they wait, and when their last heartbeat came.

    Times are milliseconds since the epoch by the store's clock, and so is `now`.
    """

    now: int
    waiting: Mapping[JobRef, int]
    running: Mapping[JobRef, int]


@dataclass(frozen=True)
class IdempotencyClaim:
    """An Idempotency-Key's claim: the hash of the key, and of the request it stands for."""

    key: str
    fingerprint: str


def fingerprint(sha256: str, request: str) -> str:
    """Return what makes two submits equal: a hash of the bytes' SHA-256 and the request."""
    return hashlib.sha256(f"{sha256} {request}".encode()).hexdigest()
