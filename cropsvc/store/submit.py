"""Slots in the queue, new jobs, and results shared between equal jobs."""

import hmac
from collections.abc import Iterable
from typing import Any, cast

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import WatchError

from cropsvc.model.job import Job, JobRef, job_fields
from cropsvc.store.blobs import LONGEST_UPLOAD, Blobs
from cropsvc.store.errors import ClaimTaken, QueueFull, StoreUnavailable, hides_redis
from cropsvc.store.keys import (
    COUNTS,
    OUTBOX,
    PENDING,
    RESERVED,
    RETAINED,
    borrowers_key,
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
from cropsvc.store.model import Commands, IdempotencyClaim, ReservedSlot, ShareVerdict
from cropsvc.store.pointers import SOURCE_FIELD, PutAway

RESERVATION_SECONDS = round(LONGEST_UPLOAD)
Data = bytes | PutAway


@hides_redis
class Submitting(Blobs):
    """From a reserved slot to a waiting job."""

    def reserve(self, ref: JobRef, cap: int, owners: Iterable[str]) -> ReservedSlot:
        """Reserve a slot in the queue for *ref*; *owners* share the cap. Raises QueueFull."""
        keys = [PENDING, *_pending_keys(ref.owner, owners)]
        arguments = [member_of(ref), cap, RESERVATION_SECONDS, RESERVED]
        return _granted(ref, self._run("reserve", keys, arguments))

    def submit_at_once(
        self,
        job: Job,
        data: bytes,
        commands: Commands | None,
        cap: int,
        owners: Iterable[str],
    ) -> tuple[ReservedSlot, bool]:
        """Call `reserve`, `share` and `submit` without an Idempotency-Key, in one round trip.

        Return the slot, and whether the job shares results. Raises QueueFull. The bytes are sent in
        any case, so they should be few.
        """
        ref, fields = job.ref, job_fields(job)
        del fields["created"]  # by the server's clock
        keys = [same_key_of(job), record_key(ref), source_key(ref.owner, ref.id), COUNTS, OUTBOX]
        keys += [PENDING, *_pending_keys(ref.owner, owners)]
        arguments = [ref.id, member_of(ref), *self._sharing(ref.owner), cap, RESERVED, data]
        arguments += [2 * len(fields), *_flat(fields), *_listed(self.client, commands)]
        granted, now, waiting, verdict = self._run("submit", keys, arguments)
        return _granted(ref, (granted, now, waiting)), self._is_shared(verdict, job, data)

    def _sharing(self, owner: str) -> list[Any]:
        return [
            self._lifetimes.result,
            max(1, self._lifetimes.source),
            results_key(owner, ""),
            sharers_key(owner, ""),
            source_key(owner, ""),
            borrowers_key(owner, ""),
        ]

    def release(self, ref: JobRef) -> None:
        """Give a reserved slot back, unless a job has taken it."""
        self._run("release", [PENDING, pending_key(ref.owner)], [member_of(ref), RESERVED])

    def claimed(self, owner: str, once: IdempotencyClaim) -> tuple[str, bool] | None:
        """Return the id of the job that claims an Idempotency-Key, and whether for this request."""
        value = cast(bytes | None, self.client.get(once_key_of(owner, once)))
        if value is None:
            return None
        job_id, _, fingerprint = value.decode().partition(" ")
        return job_id, hmac.compare_digest(fingerprint, once.fingerprint)

    def is_claimed(self, owner: str, key: str) -> bool:
        """Return whether a job claims the Idempotency-Key with this hash."""
        return bool(self.client.exists(once_key(owner, key)))

    def share(self, job: Job, data: Data | None, once: IdempotencyClaim | None) -> bool:
        """End *job* as done with the results of the same bytes and parameters, if they live.

        Return whether it could. Raises ClaimTaken if another request claimed *once* first.
        """
        [verdict] = self._pipeline(lambda pipe: self._queue_share(pipe, job, once))
        return self._is_shared(verdict, job, data)

    def _queue_share(self, pipe: Pipeline, job: Job, once: IdempotencyClaim | None) -> None:
        ref = job.ref
        fields = {**job_fields(job), "source_home": ref.id}
        once_slot = once_key_of(ref.owner, once) if once else record_key(ref)
        claim = f"{ref.id} {once.fingerprint}" if once else ""
        keys = [same_key_of(job), record_key(ref), PENDING, pending_key(ref.owner), once_slot]
        arguments = [ref.id, member_of(ref), *self._sharing(ref.owner), claim, *_flat(fields)]
        self._queue(pipe, "share", [*keys, COUNTS, OUTBOX], arguments)

    def _is_shared(self, verdict: int, job: Job, data: Data | None) -> bool:
        if verdict == ShareVerdict.CLAIM_TAKEN:
            raise ClaimTaken
        without_upload = verdict == ShareVerdict.SHARED_WITHOUT_UPLOAD
        if without_upload and data is not None and self._lifetimes.source:
            self._retain(job, data)
        return verdict != ShareVerdict.NOTHING_TO_SHARE

    def _retain(self, job: Job, data: Data) -> None:
        source = source_key(job.ref.owner, job.id)
        try:
            kept = self._put_away(job.ref, SOURCE_FIELD, data)
        except StoreUnavailable:
            return  # the object store is away: the job is done, but cannot be cropped again
        with self.client.pipeline() as pipe:
            pipe.set(source, kept, ex=self._lifetimes.source)
            pipe.zadd(RETAINED, {source: job.created})
            pipe.execute()

    def adopt(self, ref: JobRef, home: str) -> bool:
        """Keep the upload of job *home* for *ref* too. Return False if it is gone."""
        keys = [
            source_key(ref.owner, home),
            users_key(ref.owner, home),
            record_key(JobRef(ref.owner, home)),
            RETAINED,
        ]
        return bool(self._run("adopt", keys, [ref.id, home]))

    def submit(
        self,
        job: Job,
        data: Data | None,
        once: IdempotencyClaim | None,
        commands: Commands | None,
    ) -> None:
        """Store the job and its upload and enqueue it, in one transaction and round trip.

        An object store gets the upload before that. *data* is None if the job uses an earlier
        upload. *commands* are the queue's part of the transaction. Raises ClaimTaken if another
        request claimed *once* first.
        """
        ref = job.ref
        kept = None if data is None else self._upload_of(job, data)
        with self.client.pipeline() as pipe:
            if once and not self._watch_unclaimed(pipe, once_key_of(ref.owner, once)):
                raise ClaimTaken
            pipe.multi()
            fields: dict[Any, Any] = job_fields(job)
            if once:
                fields["once"] = once_key_of(ref.owner, once)
                pipe.set(once_key_of(ref.owner, once), f"{ref.id} {once.fingerprint}")
            pipe.hset(record_key(ref), mapping=fields)
            if kept is not None:
                pipe.set(source_key(ref.owner, ref.id), kept)
            pipe.zadd(PENDING, {member_of(ref): job.created})
            pipe.zadd(pending_key(ref.owner), {member_of(ref): job.created})
            if commands:
                commands(pipe)
            try:
                pipe.execute()
            except WatchError:
                raise ClaimTaken from None

    def _upload_of(self, job: Job, data: Data) -> bytes:
        try:
            return self._put_away(job.ref, SOURCE_FIELD, data)
        except StoreUnavailable:
            self.release(job.ref)  # Redis is there: the slot need not expire
            raise

    @staticmethod
    def _watch_unclaimed(pipe: Pipeline, key: str) -> bool:
        pipe.watch(key)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        return not pipe.exists(key)

    def keep(self, ref: JobRef) -> bool:
        """Note that another request was answered with the job. Return False if it is gone."""
        return bool(self._run("patch", [record_key(ref)], ["answered", 1]))

    def withdraw(self, job: Job) -> bool:
        """Roll back a submit: delete the record, the upload, and the idempotency key.

        Do nothing and return False if the job runs or has ended, or if another request was
        answered with it.
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
        return bool(self._run("withdraw", keys, arguments))


def _granted(ref: JobRef, reply: tuple[int, int, int]) -> ReservedSlot:
    granted, now, waiting = reply
    if not granted:
        raise QueueFull(waiting)
    return ReservedSlot(ref, now, waiting)


def _pending_keys(owner: str, owners: Iterable[str]) -> list[str]:
    return [pending_key(owner), *(pending_key(other) for other in owners if other != owner)]


def _listed(client: Redis, commands: Commands | None) -> list[Any]:
    """Return the commands for submit.lua: of each the number of its parts, and the parts."""
    if not commands:
        return []
    pipe = client.pipeline()
    commands(pipe)
    parts: list[Any] = []
    for arguments, _ in pipe.command_stack:
        parts += [len(arguments), *arguments]
    return parts


def _flat(fields: dict[str, Any]) -> list[Any]:
    return [part for pair in fields.items() for part in pair]
