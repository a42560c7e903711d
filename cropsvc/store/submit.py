"""Places in the queue, new jobs, and what is shared between like ones."""

import hmac
from collections.abc import Callable, Iterable
from typing import Any, cast

from redis.client import Pipeline
from redis.exceptions import WatchError

from cropsvc.model.job import Job, JobRef, job_fields
from cropsvc.store import scripts
from cropsvc.store.base import Base
from cropsvc.store.keys import (
    COUNTS,
    PENDING,
    RETAINED,
    member_of,
    once_key,
    once_key_of,
    pending_key,
    record_key,
    results_key,
    same_key_of,
    sharers_key,
    source_key,
    users_key,
)
from cropsvc.store.model import IdempotencyClaim, QueueFull, QueueSlot

RESERVATION_SECONDS = 300  # longest time from an upload's headers to its last byte


class Submitting(Base):
    """From a reserved place to a job that waits."""

    def reserve(self, ref: JobRef, cap: int, owners: Iterable[str]) -> QueueSlot:
        """A place in the queue for *ref*, or Refused; *owners* share the cap."""
        [reply] = self._pipeline(lambda pipe: self._queue_reserve(pipe, ref, cap, owners))
        return _granted(ref, reply)

    def reserve_and_share(
        self, job: Job, data: bytes | None, cap: int, owners: Iterable[str]
    ) -> tuple[QueueSlot, bool]:
        """`reserve`, then `share` without an Idempotency-Key, in one round trip."""

        def fill(pipe: Pipeline) -> None:
            self._queue_reserve(pipe, job.ref, cap, owners)
            self._queue_share(pipe, job, None)

        reply, verdict = self._pipeline(fill)
        return _granted(job.ref, reply), self._is_shared(verdict, job, data)

    def _queue_reserve(self, pipe: Pipeline, ref: JobRef, cap: int, owners: Iterable[str]) -> None:
        keys = [PENDING, pending_key(ref.owner)]
        keys += [pending_key(owner) for owner in owners if owner != ref.owner]
        self._queue(pipe, scripts.RESERVE, keys, [member_of(ref), cap, RESERVATION_SECONDS])

    def release(self, ref: JobRef) -> None:
        """Gives a reserved place back, unless a job took it."""
        self._run(scripts.RELEASE, [PENDING, pending_key(ref.owner)], [member_of(ref)])

    def claimed(self, owner: str, once: IdempotencyClaim) -> tuple[str, bool] | None:
        """The job that holds an Idempotency-Key, and whether it was the same request."""
        value = cast(bytes | None, self.client.get(once_key_of(owner, once)))
        if value is None:
            return None
        job_id, _, fingerprint = value.decode().partition(" ")
        return job_id, hmac.compare_digest(fingerprint, once.fingerprint)

    def is_claimed(self, owner: str, key: str) -> bool:
        """Whether a job holds the Idempotency-Key with this hash."""
        return bool(self.client.exists(once_key(owner, key)))

    def share(self, job: Job, data: bytes | None, once: IdempotencyClaim | None) -> bool:
        """Makes *job* done at once from a living result of the same bytes and parameters.

        False when there is none. Raises WatchError when *once* was claimed meanwhile.
        """
        [verdict] = self._pipeline(lambda pipe: self._queue_share(pipe, job, once))
        return self._is_shared(verdict, job, data)

    def _queue_share(self, pipe: Pipeline, job: Job, once: IdempotencyClaim | None) -> None:
        ref = job.ref
        fields = {**job_fields(job), "source_home": ref.id}
        self._queue(
            pipe,
            scripts.SHARE,
            [
                same_key_of(job),
                record_key(ref),
                PENDING,
                pending_key(ref.owner),
                once_key_of(ref.owner, once) if once else record_key(ref),
                COUNTS,
            ],
            [
                ref.id,
                member_of(ref),
                self._lifetimes.result,
                max(1, self._lifetimes.source),
                results_key(ref.owner, ""),
                sharers_key(ref.owner, ""),
                source_key(ref.owner, ""),
                f"{ref.id} {once.fingerprint}" if once else "",
                *_flat(fields),
            ],
        )

    def _is_shared(self, verdict: int, job: Job, data: bytes | None) -> bool:
        if verdict == 3:
            raise WatchError("the idempotency key was claimed meanwhile")
        if verdict == 2 and data is not None and self._lifetimes.source:
            source = source_key(job.ref.owner, job.id)
            with self.client.pipeline() as pipe:
                pipe.set(source, data, ex=self._lifetimes.source)
                pipe.zadd(RETAINED, {source: job.created})
                pipe.execute()
        return bool(verdict)

    def adopt(self, ref: JobRef, home: str) -> bool:
        """Keeps the upload of job *home* for *ref* too; False if it is gone."""
        keys = [
            source_key(ref.owner, home),
            users_key(ref.owner, home),
            record_key(JobRef(ref.owner, home)),
            RETAINED,
        ]
        return bool(self._run(scripts.ADOPT, keys, [ref.id, home]))

    def submit(
        self,
        job: Job,
        data: bytes | None,
        once: IdempotencyClaim | None,
        *,
        enqueue: Callable[[Pipeline], object],
    ) -> None:
        """Stores the job and its upload and enqueues it, in one transaction and round trip.

        *data* is None when the upload of `source_home` is used again. *enqueue* adds the
        engine's commands. Raises WatchError when *once* was claimed meanwhile.
        """
        ref = job.ref
        with self.client.pipeline() as pipe:
            if once and not self._watch_unclaimed(pipe, once_key_of(ref.owner, once)):
                raise WatchError("the idempotency key was claimed meanwhile")
            enqueue(pipe)  # first: RQ calls multi(), which a pipeline with commands refuses
            fields: dict[Any, Any] = job_fields(job)
            if once:
                fields["once"] = once_key_of(ref.owner, once)
                pipe.set(once_key_of(ref.owner, once), f"{ref.id} {once.fingerprint}")
            pipe.hset(record_key(ref), mapping=fields)
            if data is not None:
                pipe.set(source_key(ref.owner, ref.id), data)
            pipe.zadd(PENDING, {member_of(ref): job.created})
            pipe.zadd(pending_key(ref.owner), {member_of(ref): job.created})
            pipe.execute()

    @staticmethod
    def _watch_unclaimed(pipe: Pipeline, key: str) -> bool:
        pipe.watch(key)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        return not pipe.exists(key)

    def keep(self, ref: JobRef) -> bool:
        """Notes that another request was answered with the job; False if it is gone."""
        return bool(self._run(scripts.PATCH, [record_key(ref)], ["answered", 1]))

    def withdraw(self, job: Job) -> bool:
        """Takes a submit back as if it had never been, once and upload too.

        False, and nothing done, if the job runs or has ended, or another request was answered
        with it.
        """
        ref = job.ref
        keys = [
            record_key(ref),
            source_key(ref.owner, job.upload_from),
            users_key(ref.owner, job.upload_from),
            RETAINED,
            PENDING,
            pending_key(ref.owner),
        ]
        arguments = [ref.id, member_of(ref), job.upload_from, self._lifetimes.source]
        return bool(self._run(scripts.WITHDRAW, keys, arguments))


def _granted(ref: JobRef, reply: tuple[int, int, int]) -> QueueSlot:
    granted, now, waiting = reply
    if not granted:
        raise QueueFull(waiting)
    return QueueSlot(ref, now, waiting)


def _flat(fields: dict[str, Any]) -> list[Any]:
    return [part for pair in fields.items() for part in pair]
