"""Every Redis key of the service, and the format of set members and event messages.

Every key of a job contains its owner. So access, fairness, idempotency and the reuse of results
never cross from one owner to another.
"""

from collections.abc import Iterable
from dataclasses import replace

from cropsvc.model.job import PENDING as UNFINISHED
from cropsvc.model.job import Job, JobRef, load_outputs
from cropsvc.store.model import IdempotencyClaim, JobChange, fingerprint

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
ORPHANS_TURN = ORPHANS + ":turn"  # which worker looks for them; make-secrets allows it
PROBE = PREFIX + "probe"
OUTBOX = PREFIX + "webhooks"
OBJECTS = PREFIX + "objects"
OBJECTS_TURN = OBJECTS + ":turn"  # which worker sweeps; make-secrets allows it
LIMIT = PREFIX + "limit"  # what the rate limiter's own keys begin with
RESERVED = 10**14
"""Added to a reserved slot's expiry, for its score: it sorts after all waiting jobs."""


def record_key(ref: JobRef) -> str:
    """Return the key of a job's record, a hash."""
    return f"{PREFIX}job:{ref.owner}:{ref.id}"


def source_key(owner: str, home: str) -> str:
    """Return the key of the upload that came with job *home*."""
    return f"{PREFIX}source:{owner}:{home}"


def users_key(owner: str, home: str) -> str:
    """Return the key of the set of unfinished jobs that need an upload."""
    return f"{PREFIX}users:{owner}:{home}"


def borrowers_key(owner: str, home: str) -> str:
    """Return the key of the set of ended jobs that show the upload of another one, *home*."""
    return f"{PREFIX}borrowers:{owner}:{home}"


def results_key(owner: str, home: str) -> str:
    """Return the key of a job's results, a hash: their bytes, and what they were made of."""
    return f"{PREFIX}results:{owner}:{home}"


def sharers_key(owner: str, home: str) -> str:
    """Return the key of the set of other jobs that show these results."""
    return f"{PREFIX}sharers:{owner}:{home}"


def pending_key(owner: str) -> str:
    """Return the key of the sorted set of an owner's waiting jobs."""
    return f"{PENDING}:{owner}"


def same_key_of(job: Job) -> str:
    """Return the key that names the job with results for the same bytes and request."""
    return same_key(job.ref.owner, job.source.sha256, job.request)


def same_key(owner: str, sha256: str, request: str) -> str:
    """Return the same key from the bytes' SHA-256 and the canonical request."""
    return f"{PREFIX}same:{owner}:{fingerprint(sha256, request)}"


def once_key_of(owner: str, once: IdempotencyClaim) -> str:
    """Return the key that holds the claim of an Idempotency-Key."""
    return once_key(owner, once.key)


def once_key(owner: str, key: str) -> str:
    """Return the same key from the hash of the Idempotency-Key."""
    return f"{PREFIX}once:{owner}:{key}"


def token_key(token: str) -> str:
    """Return the key that counts the jobs of an upload token."""
    return f"{PREFIX}token:{token}"


def blob_field(index: int) -> str:
    """Return the field of the *index*th output's bytes."""
    return f"bytes{index}"


def member_of(ref: JobRef) -> str:
    """Return a job as a member of the sorted sets."""
    return f"{ref.owner}/{ref.id}"


def ref_of(member: bytes) -> JobRef:
    """Return the job that a member names."""
    owner, _, job_id = member.decode().partition("/")
    return JobRef(owner, job_id)


def times_of(found: Iterable[tuple[bytes, float]]) -> dict[JobRef, int]:
    """Return members with their scores as jobs and milliseconds."""
    return {ref_of(member): int(score) for member, score in found}


def message_of(ref: JobRef, state: str) -> str:
    """Return the message about a job for the channel EVENTS."""
    return f"{ref.owner} {ref.id} {state}"


def change_of(message: bytes) -> JobChange | None:
    """Return the change that a message reports; None if the message is not the service's own."""
    head, _, carried = message.partition(b"\n")
    match head.decode(errors="replace").split(" "):
        case [owner, job_id, state]:
            return JobChange(JobRef(owner, job_id), state not in UNFINISHED, carried or None)
        case _:
            return None


def done_job(job: Job, carried: bytes) -> tuple[Job, bytes]:
    """Return *job* as done, and its first output's bytes, from what the message of its end carried.

    finish.lua writes these lines, the bytes last.
    """
    started, ended, expires, outputs, data = carried.split(b"\n", 4)
    done = replace(
        job,
        state="done",
        progress=1.0,
        stage="done",
        position=None,
        started=int(started),
        ended=int(ended),
        expires=int(expires),
        outputs=load_outputs(outputs),
    )
    return done, data
