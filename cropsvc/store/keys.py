"""Every key of ours in Redis, and what lies in lists, sets and messages.

Every key of a job carries its owner, so that access, fairness, idempotency and the reuse of
results never reach over to another's.
"""

from collections.abc import Iterable

from cropsvc.model.job import Job, JobRef
from cropsvc.store.model import IdempotencyClaim, fingerprint

PREFIX = "cropsvc:"
EVENTS = PREFIX + "events"
PENDING = PREFIX + "pending"
RETAINED = PREFIX + "retained"
PACE = PREFIX + "pace"
SECRET = PREFIX + "secret"
COUNTS = PREFIX + "counts"
RUNNING = PREFIX + "running"
ORPHANS = PREFIX + "orphans"
WORKERS = PREFIX + "workers"
ORPHANS_TURN = ORPHANS + ":turn"  # which worker looks for them; the access rules know it
PROBE = PREFIX + "probe"
LIMIT = PREFIX + "limit"  # of the rate limiter's own keys


def record_key(ref: JobRef) -> str:
    """The hash of a job's record."""
    return f"{PREFIX}job:{ref.owner}:{ref.id}"


def source_key(owner: str, home: str) -> str:
    """The upload that came with job *home*."""
    return f"{PREFIX}source:{owner}:{home}"


def users_key(owner: str, home: str) -> str:
    """The set of jobs that need an upload."""
    return f"{PREFIX}users:{owner}:{home}"


def results_key(owner: str, home: str) -> str:
    """The hash of a job's results: their bytes, and what they were made of."""
    return f"{PREFIX}results:{owner}:{home}"


def sharers_key(owner: str, home: str) -> str:
    """The set of jobs that show these results too."""
    return f"{PREFIX}sharers:{owner}:{home}"


def pending_key(owner: str) -> str:
    """The sorted set of an owner's waiting jobs."""
    return f"{PENDING}:{owner}"


def same_key_of(job: Job) -> str:
    """The job whose results are those of the same bytes and request."""
    return same_key(job.ref.owner, job.source.sha256, job.request)


def same_key(owner: str, sha256: str, request: str) -> str:
    """The same, by the bytes' SHA-256 and the canonical request."""
    return f"{PREFIX}same:{owner}:{fingerprint(sha256, request)}"


def once_key_of(owner: str, once: IdempotencyClaim) -> str:
    """What an Idempotency-Key stands for."""
    return once_key(owner, once.key)


def once_key(owner: str, key: str) -> str:
    """The same, by the hash of the key."""
    return f"{PREFIX}once:{owner}:{key}"


def blob_field(index: int) -> str:
    """The field of the *index*th output's bytes."""
    return f"bytes{index}"


def member_of(ref: JobRef) -> str:
    """A job as a member of the sorted sets."""
    return f"{ref.owner}/{ref.id}"


def ref_of(member: bytes) -> JobRef:
    """The job that a member names."""
    owner, _, job_id = member.decode().partition("/")
    return JobRef(owner, job_id)


def times_of(found: Iterable[tuple[bytes, float]]) -> dict[JobRef, int]:
    """Members with their scores, as jobs and milliseconds."""
    return {ref_of(member): int(score) for member, score in found}


def message_of(ref: JobRef, state: str) -> str:
    """The news of a job on the channel EVENTS."""
    return f"{ref.owner} {ref.id} {state}"
