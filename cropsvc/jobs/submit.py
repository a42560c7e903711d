"""Submitting jobs: the slot in the queue, idempotency, reuse of results, enqueueing."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from cropsvc.imaging.geometry.validate import check
from cropsvc.imaging.headers.probe import Source, check_type, probe
from cropsvc.imaging.params.parser import CropRequest
from cropsvc.jobs.lookup import Lookup
from cropsvc.model import ids
from cropsvc.model.errors import Busy, Deleted, Expired, IdempotencyMismatch, Unavailable
from cropsvc.model.job import Job, JobRef, SourceInfo, Webhook, new_job
from cropsvc.observability import job_log
from cropsvc.store import (
    ClaimTaken,
    DeferredSlot,
    IdempotencyClaim,
    Incoming,
    NoSlotNeeded,
    PutAway,
    QueueFull,
    QueueSlot,
    Received,
    ReservedSlot,
    fingerprint,
)


@dataclass(frozen=True)
class Upload:
    """What to crop: a new upload, or the upload of an earlier job (`upload_from`)."""

    data: bytes | PutAway | None
    facts: SourceInfo
    upload_from: str
    file_name: str = ""


@dataclass(frozen=True)
class Submission:
    """A request for a job: the image, what to make of it, the Idempotency-Key, the trace."""

    upload: Upload
    request: CropRequest
    key: str | None = None
    trace: str = ""
    webhook: str | None = None  # who wants to hear of the end
    awaited: bool = False  # the first output's bytes, by this front end process


class Submissions(Lookup):
    """From a request to a queued job."""

    def admit(
        self, owner: str, *, size: int = 0, key: str | None = None, later: bool = False
    ) -> QueueSlot:
        """Return a slot for a job of *owner*. Ask for it before the body is read.

        *size* is what the headers say about the body, in bytes. A repeat under the
        Idempotency-Key *key* needs no slot. With *later* the submit reserves it, which saves a
        round trip. Raises Busy if the queue is full or memory is short.
        """
        now = time.time()
        ref = JobRef(owner, ids.make(self._store.secrets()[0], owner, now))
        if key is not None and self._store.is_claimed(owner, _digest(key)):
            return NoSlotNeeded(ref, int(now * 1000))
        in_redis = 0 if self._store.keeps_objects else size
        if not self._memory.has_room(in_redis):
            raise Busy("memory for uploads and results is short; try again later", retry_after=5)
        return DeferredSlot(ref, int(now * 1000)) if later else self._reserved(ref)

    def _reserved(self, ref: JobRef) -> ReservedSlot:
        with self._busy_when_full():
            return self._store.reserve(ref, self._policy.cap, self._policy.owners)

    @contextmanager
    def _busy_when_full(self) -> Iterator[None]:
        try:
            yield
        except QueueFull as full:
            raise Busy(
                f"the queue is full: {full.waiting} jobs are waiting (limit {self._policy.cap})",
                retry_after=self._seconds_for(1),
            ) from None

    def release(self, slot: QueueSlot) -> None:
        """Give a slot back that no job took."""
        self._store.release(slot.ref)

    def incoming(self, slot: QueueSlot) -> Incoming:
        """Return where to write the job's upload as it comes. Close it once the job is submitted.

        A large upload is refused by its first bytes, before any is stored.
        """
        return self._store.incoming(slot.ref, check_type)

    def upload(
        self, slot: QueueSlot, come: Received, request: CropRequest, file_name: str = ""
    ) -> Upload:
        """Return the upload, once its header passes the limits and the request."""
        source = self._probed(come)
        check(request, source, self._policy.limits)
        facts = SourceInfo(source.format, source.width, source.height, come.size, come.sha256)
        return Upload(come.data, facts, slot.ref.id, file_name)

    def _probed(self, come: Received) -> Source:
        with self._store.whole(come) as data:
            return probe(data, self._policy.limits)

    def earlier_upload(
        self, owner: str, source: str, request: CropRequest, key: str | None = None
    ) -> Upload:
        """Return the upload of job *source*, checked against the request.

        Raises NotFound for another owner's or an unknown job, and Expired or Deleted if the
        upload is gone. A repeat under the Idempotency-Key *key* of a job that used this upload
        may still refer to it.
        """
        try:
            return self._kept_upload(owner, source, request)
        except (Expired, Deleted):
            repeated = self._job_that_used(owner, source, key) if key else None
            if repeated is None:
                raise
            return Upload(None, repeated.source, source, repeated.file_name)

    def _job_that_used(self, owner: str, source: str, key: str) -> Job | None:
        claimed = self._store.claimed(owner, IdempotencyClaim(_digest(key), ""))
        job = self._store.load(JobRef(owner, claimed[0])) if claimed else None
        return job if isinstance(job, Job) and job.upload_from == source else None

    def _kept_upload(self, owner: str, source: str, request: CropRequest) -> Upload:
        job = self.get(owner, source)
        facts = job.source
        check(request, Source(facts.format, facts.width, facts.height), self._policy.limits)
        if not self._store.has_source(job):
            raise Expired(f"the upload of job {source} is no longer kept")
        return Upload(None, facts, job.upload_from, job.file_name)

    def submit(self, slot: QueueSlot, submission: Submission) -> Job:
        """Return the new job, the one that the Idempotency-Key claims, or one with a reused result.

        Raises Busy, IdempotencyMismatch, Expired, Unavailable.
        """
        job = _job_of(slot, submission)
        claim = _claim(submission.key, job)
        while True:
            earlier = self._claimed(job.ref.owner, claim)
            if earlier:
                self.release(slot)
                return earlier
            if isinstance(slot, NoSlotNeeded):  # the claim has expired or was withdrawn since
                slot = self._reserved(slot.ref)
                job = _job_of(slot, submission)
            try:
                return self._submitted(slot, job, submission, claim)
            except ClaimTaken:
                continue

    def _claimed(self, owner: str, claim: IdempotencyClaim | None) -> Job | None:
        claimed = self._store.claimed(owner, claim) if claim else None
        if not claim or claimed is None:
            return None
        job_id, is_same = claimed
        if not is_same:
            raise IdempotencyMismatch("this Idempotency-Key was used for another request")
        if not self._store.keep(JobRef(owner, job_id)) and not self._store.claimed(owner, claim):
            return None  # it was withdrawn since
        return self.get(owner, job_id)

    def _submitted(
        self, slot: QueueSlot, job: Job, submission: Submission, claim: IdempotencyClaim | None
    ) -> Job:
        if isinstance(slot, DeferredSlot):
            data = submission.upload.data
            if isinstance(data, bytes) and not self._store.keeps_objects:
                return self._submitted_at_once(job, data, submission)
            slot = self._reserved(slot.ref)
            job = _job_of(slot, submission)
        shared = self._store.share(job, submission.upload.data, claim)
        return self._logged(job) if shared else self._enqueued(job, submission, claim)

    def _submitted_at_once(self, job: Job, data: bytes, submission: Submission) -> Job:
        commands, policy = self._job_queue.commands(job.ref, job.upload_from), self._policy
        with self._busy_when_full():
            slot, shared = self._store.submit_at_once(
                job, data, commands, policy.cap, policy.owners
            )
        job = replace(job, created=slot.now, position=slot.waiting + 1)
        return self._logged(job) if shared else self._published(job)

    def _logged(self, job: Job) -> Job:
        job = self.get(job.ref.owner, job.id)
        job_log.log_job(job)
        return job

    def _enqueued(self, job: Job, submission: Submission, claim: IdempotencyClaim | None) -> Job:
        upload = submission.upload
        if upload.data is None and not self._store.adopt(job.ref, upload.upload_from):
            raise Expired(f"the upload of job {upload.upload_from} is no longer kept")
        commands = self._job_queue.commands(job.ref, upload.upload_from)
        self._store.submit(job, upload.data, claim, commands)
        return self._published(job)

    def _published(self, job: Job) -> Job:
        try:
            self._job_queue.publish(job.ref, job.upload_from)
        except Unavailable:
            # The job counts as accepted if a worker or another client knows it already.
            if self._store.withdraw(job):
                raise
        return job


def _job_of(slot: QueueSlot, submission: Submission) -> Job:
    names = [crop.name for crop in submission.request.outputs]
    upload, request = submission.upload, submission.request.to_json()
    job = new_job(slot.ref, slot.now, upload.facts, request, names)
    waiting = slot.waiting if isinstance(slot, ReservedSlot) else 0
    return replace(
        job,
        upload_from=upload.upload_from,
        position=waiting + 1,
        trace=submission.trace,
        file_name=upload.file_name,
        webhook=Webhook(submission.webhook) if submission.webhook else None,
        awaited=submission.awaited and not submission.webhook,
    )


def _claim(key: str | None, job: Job) -> IdempotencyClaim | None:
    if key is None:
        return None
    wanted = f"{job.request} {job.webhook.url}" if job.webhook else job.request
    return IdempotencyClaim(_digest(key), fingerprint(job.source.sha256, wanted))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
