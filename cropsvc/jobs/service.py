"""The job service as the front end sees it: submit, look up, wait, follow, cancel."""

import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from redis.exceptions import WatchError

from cropsvc.imaging.geometry.validate import check
from cropsvc.imaging.headers.probe import Source, probe
from cropsvc.imaging.params.parser import CropRequest
from cropsvc.jobs.admission import MemoryGuard
from cropsvc.jobs.events import JobEvents, Subscription
from cropsvc.model import ids
from cropsvc.model.errors import (
    Busy,
    Canceled,
    CropError,
    Deleted,
    Expired,
    IdempotencyMismatch,
    NotFound,
    NotReady,
    Unavailable,
    Unprocessable,
)
from cropsvc.model.job import (
    Job,
    JobRef,
    Output,
    Problem,
    SourceInfo,
)
from cropsvc.model.limits import Limits
from cropsvc.observability import job_log
from cropsvc.queues import JobQueue
from cropsvc.store import IdempotencyClaim, QueueFull, QueueSlot, Store, fingerprint

HEARTBEAT_SECONDS = 15.0
POSITION_SECONDS = 1.0  # a waiting job's position is looked up so often
LONGEST_RETRY = 60  # seconds that a Retry-After may say
PACE_SECONDS = 1.0  # how long a measured pace is believed


@dataclass(frozen=True)
class Policy:
    """What the front end allows: jobs waiting, the owners that share them, image limits."""

    cap: int
    owners: tuple[str, ...]
    limits: Limits


@dataclass(frozen=True)
class Upload:
    """What to crop: new bytes, or the upload of an earlier job (`upload_from`)."""

    data: bytes | None
    facts: SourceInfo
    upload_from: str


@dataclass(frozen=True)
class Submission:
    """A request for a job: which picture, what to make of it, under which key and trace."""

    upload: Upload
    request: CropRequest
    key: str | None = None  # Idempotency-Key
    trace: str = ""


class Jobs:
    """All that can be done with jobs."""

    def __init__(
        self, store: Store, job_queue: JobQueue, events: JobEvents, policy: Policy
    ) -> None:
        self._store = store
        self._job_queue = job_queue
        self._events = events
        self._policy = policy
        self._memory = MemoryGuard(store)
        self._pace = (0.0, 0.0)  # jobs a second, and until when that is believed

    # -- submitting -----------------------------------------------------------------------

    def admit(
        self, owner: str, *, size: int = 0, key: str | None = None, later: bool = False
    ) -> QueueSlot:
        """A place for a job of *owner*, to be asked for before the body is read.

        *size* is what the body's headers announce, in bytes. A repeat under the Idempotency-Key
        *key* needs no place. *later*: it is reserved by the submit, which saves a round trip.
        Raises Busy when the queue is at its cap or memory is short.
        """
        now = time.time()
        ref = JobRef(owner, ids.make(self._store.secrets()[0], owner, now))
        if key is not None and self._store.is_claimed(owner, _digest(key)):
            return QueueSlot(ref, int(now * 1000), 0)
        if not self._memory.has_room(size):
            raise Busy("memory for uploads and results is short; try again later", retry_after=5)
        if later:
            return QueueSlot(ref, int(now * 1000), 0, is_reserved=False)
        with self._refusals():
            return self._store.reserve(ref, self._policy.cap, self._policy.owners)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except QueueFull as refused:
            raise Busy(
                f"{refused.waiting} jobs are waiting, of {self._policy.cap} that may",
                retry_after=self._seconds_for(1),
            ) from None

    def release(self, place: QueueSlot) -> None:
        """Gives a place back that no job took."""
        self._store.release(place.ref)

    def upload(self, place: QueueSlot, data: bytes, request: CropRequest) -> Upload:
        """New bytes, checked by their header against the limits and the request."""
        source = probe(data, self._policy.limits)
        check(request, source, self._policy.limits)
        facts = SourceInfo(
            format=source.format,
            width=source.width,
            height=source.height,
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )
        return Upload(data, facts, place.ref.id)

    def earlier_upload(
        self, owner: str, source: str, request: CropRequest, key: str | None = None
    ) -> Upload:
        """The upload of job *source*, checked against the request.

        Raises NotFound for a foreign or unknown job, Expired or Deleted when the upload is gone,
        unless the job of the Idempotency-Key *key* was made of it: that one is asked for again.
        """
        try:
            return self._kept_upload(owner, source, request)
        except (Expired, Deleted):
            repeated = self._made_of(owner, source, key) if key else None
            if repeated is None:
                raise
            return Upload(None, repeated.source, source)

    def _made_of(self, owner: str, source: str, key: str) -> Job | None:
        claimed = self._store.claimed(owner, IdempotencyClaim(_digest(key), ""))
        job = self._store.load(JobRef(owner, claimed[0])) if claimed else None
        return job if isinstance(job, Job) and job.upload_from == source else None

    def _kept_upload(self, owner: str, source: str, request: CropRequest) -> Upload:
        job = self.get(owner, source)
        facts = job.source
        check(request, Source(facts.format, facts.width, facts.height), self._policy.limits)
        if not self._store.has_source(job):
            raise Expired(f"the upload of job {source} is no longer kept")
        return Upload(None, facts, job.upload_from)

    def submit(self, place: QueueSlot, submission: Submission) -> Job:
        """The new job; or the one that the Idempotency-Key stands for; or one done from cache."""
        job = _new_job(place, submission)
        once = _once(submission.key, job)
        while True:
            earlier = self._claimed(job.ref.owner, once)
            if earlier:
                self.release(place)
                return earlier
            try:
                if not place.is_reserved:
                    return self._placed_at_once(job, submission)
                shared = self._store.share(job, submission.upload.data, once)
                return self._placed(job, submission, once, shared=shared)
            except WatchError:
                continue

    def _claimed(self, owner: str, once: IdempotencyClaim | None) -> Job | None:
        claimed = self._store.claimed(owner, once) if once else None
        if not once or claimed is None:
            return None
        job_id, is_same = claimed
        if not is_same:
            raise IdempotencyMismatch("this Idempotency-Key was used for another request")
        if not self._store.keep(JobRef(owner, job_id)) and not self._store.claimed(owner, once):
            return None  # it was withdrawn just now
        return self.get(owner, job_id)

    def _placed_at_once(self, job: Job, submission: Submission) -> Job:
        data, policy = submission.upload.data, self._policy
        with self._refusals():
            place, shared = self._store.reserve_and_share(job, data, policy.cap, policy.owners)
        job = replace(job, created=place.now, position=place.waiting + 1)
        return self._placed(job, submission, None, shared=shared)

    def _placed(
        self, job: Job, submission: Submission, once: IdempotencyClaim | None, *, shared: bool
    ) -> Job:
        upload = submission.upload
        if shared:
            job = self.get(job.ref.owner, job.id)
            job_log.log_job(job)
            return job
        if upload.data is None and not self._store.adopt(job.ref, upload.upload_from):
            raise Expired(f"the upload of job {upload.upload_from} is no longer kept")
        self._store.submit(
            job,
            upload.data,
            once,
            enqueue=lambda pipe: self._job_queue.enqueue(pipe, job.ref, upload.upload_from),
        )
        self._publish(job)
        return job

    def _publish(self, job: Job) -> None:
        try:
            self._job_queue.publish(job.ref, job.upload_from)
        except Unavailable:
            # One that a worker has already, or of which another client was told, is accepted.
            if self._store.withdraw(job):
                raise

    # -- looking up -----------------------------------------------------------------------

    def get(self, owner: str, job_id: str) -> Job:
        """The job. Raises NotFound, Expired or Deleted."""
        return self._known(owner, job_id, self._store.load(JobRef(owner, job_id)))

    def _known(self, owner: str, job_id: str, found: Job | str | None) -> Job:
        if isinstance(found, Job):
            return found
        if found is not None:
            raise Deleted(f"job {job_id} was deleted")
        if any(ids.is_genuine(secret, owner, job_id) for secret in self._store.secrets()):
            raise Expired(f"job {job_id} has expired")
        raise NotFound(f"there is no job {job_id[:64]}")

    def watch(self, job_id: str) -> AbstractContextManager[Subscription]:
        """Watches a job's end; begin it before the job is read or submitted."""
        return self._events.watch(job_id)

    def wait(self, owner: str, job_id: str, seconds: float) -> Job:
        """The job once it has ended, or as it is after *seconds*."""
        if seconds <= 0:
            return self.get(owner, job_id)
        with self._events.watch(job_id) as watch:
            return self.wait_on(watch, self.get(owner, job_id), seconds)

    def wait_on(self, watch: Subscription, job: Job, seconds: float) -> Job:
        """The same for a watch that began before *job* was read."""
        turns = _turns(watch, seconds)
        while not job.is_terminal and next(turns, False):
            job = self.get(job.ref.owner, job.id)
        return job

    def wait_on_bytes(
        self, watch: Subscription, job: Job, seconds: float
    ) -> tuple[Job, bytes | None]:
        """The same, with the first output's bytes if it is done: one round trip for both."""
        data = None
        turns = _turns(watch, seconds)
        while not job.is_terminal and next(turns, False):
            found, data = self._store.load_with_bytes(job.ref, 0)
            job = self._known(job.ref.owner, job.id, found)
        return (job if job.is_terminal else self.get(job.ref.owner, job.id)), data

    def follow(self, owner: str, job_id: str) -> Iterator[Job | None]:
        """Each change of the job from now on, the end last; None is a sign of life."""
        job = self.get(owner, job_id)
        return self._follow(job)

    def _follow(self, job: Job) -> Iterator[Job | None]:
        with self._events.watch(job.id, every_change=True) as watch:
            shown, told = None, time.monotonic()
            while True:
                try:
                    job = self.get(job.ref.owner, job.id)
                except Deleted:
                    job = replace(job, state="canceled", position=None)
                if job != shown:
                    shown, told = job, time.monotonic()
                    yield job
                if job.is_terminal:
                    return
                left = told + HEARTBEAT_SECONDS - time.monotonic()
                watch.wait(min(left, POSITION_SECONDS) if job.state == "queued" else left)
                if time.monotonic() - told >= HEARTBEAT_SECONDS:
                    told = time.monotonic()
                    yield None

    def image(self, owner: str, job_id: str, name: str | None) -> tuple[Job, Output, bytes]:
        """The named output's facts and bytes, or the first's.

        Raises NotReady, the job's or output's own error, Canceled, Deleted, Expired, NotFound.
        """
        found, data = self._store.load_with_bytes(JobRef(owner, job_id), 0)
        return self.image_of(self._known(owner, job_id, found), name, data)

    def image_of(
        self, job: Job, name: str | None, first: bytes | None
    ) -> tuple[Job, Output, bytes]:
        """The same of a job that was read, with the bytes of its *first* output if they were."""
        output = self._output(job, name)
        index = job.outputs.index(output)
        data = self._store.result(job, index) if index or first is None else first
        if data is None:
            raise Expired(f"the image of job {job.id} has expired")
        return job, output, data

    def _output(self, job: Job, name: str | None) -> Output:
        output = job.output(name)
        if output is None:
            raise NotFound(f"job {job.id} has no output named {(name or '')[:64]!r}")
        if not job.is_terminal:
            raise NotReady(f"job {job.id} is {job.state}", retry_after=self.retry_after(job))
        if job.state == "canceled":
            raise Canceled(f"job {job.id} was canceled")
        if output.error:
            raise error_of(output.error)
        return output

    def source(self, owner: str, job_id: str) -> tuple[Job, bytes]:
        """The job and its upload's bytes. Raises Expired when they are gone."""
        job = self.get(owner, job_id)
        data = self._store.source(job)
        if data is None:
            raise Expired(f"the upload of job {job_id} is no longer kept")
        return job, data

    def delete(self, owner: str, job_id: str) -> None:
        """Cancels a job that has not ended, deletes one that has; again is fine."""
        try:
            job = self.get(owner, job_id)
        except Deleted:
            return
        if self._store.remove(job) == "canceled" and self._job_queue.forget(job.ref):
            job_log.log_job(replace(job, state="canceled"))

    # -- the queue as a whole ---------------------------------------------------------------

    def retry_after(self, job: Job) -> int:
        """Seconds after which asking again makes sense, from the queue's real speed."""
        return self._seconds_for(job.position or 1)

    def workers(self) -> int:
        """Workers with a fresh heartbeat."""
        return self._job_queue.workers()

    def waiting(self) -> int:
        """Jobs in the queue."""
        return self._store.waiting()

    @property
    def cap(self) -> int:
        """Jobs that may wait."""
        return self._policy.cap

    def _seconds_for(self, jobs: int) -> int:
        pace, until = self._pace
        if time.monotonic() > until:
            pace = self._store.pace()
            self._pace = pace, time.monotonic() + PACE_SECONDS
        return min(LONGEST_RETRY, math.ceil(jobs / pace)) if pace else 1


def _turns(watch: Subscription, seconds: float) -> Iterator[bool]:
    """One turn for each time that looking again may help, until *seconds* have passed."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        watch.wait(left)
        yield True


def error_of(problem: Problem) -> CropError:
    """The error that a job's stored problem stands for; always 422: the job could not be done."""
    error = Unprocessable(problem.detail)
    error.code = problem.code
    return error


def _new_job(place: QueueSlot, submission: Submission) -> Job:
    upload = submission.upload
    return Job(
        ref=place.ref,
        state="queued",
        progress=0.0,
        stage="queued",
        created=place.now,
        source=upload.facts,
        request=submission.request.to_json(),
        outputs=tuple(Output(crop.name, "queued") for crop in submission.request.outputs),
        results_from=place.ref.id,
        upload_from=upload.upload_from,
        position=place.waiting + 1,
        trace=submission.trace,
    )


def _once(key: str | None, job: Job) -> IdempotencyClaim | None:
    if key is None:
        return None
    return IdempotencyClaim(_digest(key), fingerprint(job.source.sha256, job.request))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
