"""Looking up jobs, and the queue as a whole."""

import math
import time
from dataclasses import dataclass

from cropsvc.jobs.admission import MemoryGuard
from cropsvc.jobs.events import Found, JobEvents
from cropsvc.model import ids
from cropsvc.model.errors import CropError, Deleted, Expired, NotFound, Unprocessable
from cropsvc.model.job import Job, JobRef, Problem
from cropsvc.model.limits import Limits
from cropsvc.queues import JobQueue
from cropsvc.store import Store

LONGEST_RETRY = 60  # seconds, the most that a Retry-After says
PACE_SECONDS = 1.0  # how long a measured pace is used


@dataclass(frozen=True)
class Policy:
    """What the front end allows: jobs waiting, the owners that share them, image limits."""

    cap: int
    owners: tuple[str, ...]
    limits: Limits


class Lookup:
    """Looks up jobs, and measures the queue."""

    def __init__(
        self, store: Store, job_queue: JobQueue, events: JobEvents, policy: Policy
    ) -> None:
        self._store = store
        self._job_queue = job_queue
        self._events = events
        self._policy = policy
        self._memory = MemoryGuard(store)
        self._pace = (0.0, 0.0)  # jobs per second, and until when that is used

    def get(self, owner: str, job_id: str) -> Job:
        """Return the job. Raises NotFound, Expired or Deleted."""
        if not ids.ID_PATTERN.fullmatch(job_id):  # JSON can hold text that is not valid UTF-8
            raise _unknown(job_id)
        ref = JobRef(owner, job_id)
        return self._known(ref, self._store.load(ref))

    def _known(self, ref: JobRef, found: Found) -> Job:
        if isinstance(found, Job):
            return found
        if found is not None:
            raise Deleted(f"job {ref.id} was deleted")
        if any(ids.is_genuine(secret, ref.owner, ref.id) for secret in self._store.secrets()):
            raise Expired(f"job {ref.id} has expired")
        raise _unknown(ref.id)

    def retry_after(self, job: Job) -> int:
        """Return after how many seconds to ask again, by the queue's measured pace."""
        return self._seconds_for(job.position or 1)

    def workers(self) -> int:
        """Return how many workers have a fresh heartbeat."""
        return self._job_queue.workers()

    def waiting(self) -> int:
        """Return how many jobs wait."""
        return self._store.waiting()

    @property
    def cap(self) -> int:
        """The number of jobs that may wait."""
        return self._policy.cap

    def _seconds_for(self, jobs: int) -> int:
        pace, until = self._pace
        if time.monotonic() > until:
            pace = self._store.pace()
            self._pace = pace, time.monotonic() + PACE_SECONDS
        return min(LONGEST_RETRY, math.ceil(jobs / pace)) if pace else 1


def _unknown(job_id: str) -> NotFound:
    return NotFound(f"there is no job {job_id[:64]}")


def error_of(problem: Problem) -> CropError:
    """Return the error for a job's stored problem. It is always 422: the job cannot be done."""
    error = Unprocessable(problem.detail)
    error.code = problem.code
    return error
