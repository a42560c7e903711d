"""From running to the end: done, failed, canceled or deleted."""

import json
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

from redis.client import Pipeline
from redis.exceptions import WatchError

from cropsvc.model.job import (
    Job,
    JobRef,
    Output,
    Problem,
    SourceInfo,
    dump,
    dump_outputs,
)
from cropsvc.store.errors import StoreUnavailable, hides_redis
from cropsvc.store.keys import (
    COUNTS,
    EVENTS,
    OUTBOX,
    PACE,
    PENDING,
    RETAINED,
    RUNNING,
    blob_field,
    borrowers_key,
    member_of,
    message_of,
    pending_key,
    record_key,
    results_key,
    same_key,
    same_key_of,
    sharers_key,
    source_key,
    users_key,
)
from cropsvc.store.lookup import Reading
from cropsvc.store.model import BOUNDS, BeginVerdict, ClaimedJob, Commands, JobResult

MOST_WRITE_SECONDS = 15.0  # for all results of a job together, in an object store
MOST_RUNS = 5  # a job whose worker died so often fails
MOST_CARRIED = 64 * 1024  # bytes of a result that the message about the job's end carries


@hides_redis
class Running(Reading):
    """What workers and crop processes write, and cancels."""

    def begin(self, ref: JobRef, upload_from: str) -> ClaimedJob | BeginVerdict:
        """Claim the job for running, and return it with the upload's bytes, in one round trip.

        Return ALREADY_ENDED if it has ended, TOO_MANY_RUNS if its workers died too often.
        """

        def read(pipe: Pipeline) -> None:
            keys = [record_key(ref), PENDING, pending_key(ref.owner), RUNNING]
            self._queue(pipe, "begin", keys, [member_of(ref), MOST_RUNS])
            pipe.get(source_key(ref.owner, upload_from))

        (verdict, *fields), data = self._pipeline(read)
        if (begun := BeginVerdict(verdict.decode())) != BeginVerdict.STARTED:
            return begun
        request, source, home, created, started, trace = fields
        try:
            data = self._fetched(data)
        except StoreUnavailable:
            self._not_run(ref)
            raise
        return ClaimedJob(
            ref=ref,
            data=data,
            source=SourceInfo(**json.loads(source)),
            request=request.decode(),
            upload_from=home.decode(),
            created=int(created),
            started=int(started),
            trace=(trace or b"").decode(),
        )

    def report(
        self, ref: JobRef, progress: float, stage: str, mirror: tuple[str, str, str] | None
    ) -> None:
        """Record a running job's progress (0 to 1, never falling) and stage, and wake its waiters.

        *mirror* is a hash key, field and value of the queue's. It is set in the same round trip
        if the hash still exists.
        """

        def write(pipe: Pipeline) -> None:
            arguments = [round(progress, 4), stage, EVENTS, message_of(ref, "running")]
            self._queue(pipe, "progress", [record_key(ref)], arguments)
            if mirror:
                self._queue(pipe, "patch", [mirror[0]], mirror[1:])

        self._pipeline(write)

    def finish(self, job: ClaimedJob, result: JobResult) -> bool:
        """End a job that was claimed here: record, bytes and message in one atomic step.

        Return False if it had ended before.
        """
        return self._finish(job.ref, job.upload_from, (job.source.sha256, job.request), result)

    def fail(self, ref: JobRef, error: Problem) -> bool:
        """End the job as failed, from a process that did not claim it.

        Return False if it had ended before.
        """
        job = self.load(ref)
        if not isinstance(job, Job):
            return False
        same = (job.source.sha256, job.request)
        return self._finish(ref, job.upload_from, same, JobResult("failed", error=error))

    def _finish(
        self, ref: JobRef, upload_from: str, same: tuple[str, str], result: JobResult
    ) -> bool:
        owner, is_whole = ref.owner, result.state == "done" and not _any_failed(result.outputs)
        keys = [
            record_key(ref),
            results_key(owner, ref.id),
            source_key(owner, upload_from),
            users_key(owner, upload_from),
            borrowers_key(owner, upload_from),
            RETAINED,
            PENDING,
            pending_key(owner),
            same_key(owner, *same),
            PACE,
            RUNNING,
            COUNTS,
            OUTBOX,
        ]
        blobs = self._blobs_of(ref, result)
        arguments = [
            ref.id,
            member_of(ref),
            result.state,
            dump_outputs(result.outputs) if result.outputs else "",
            dump(result.error) if result.error else "",
            self._lifetimes.result,
            self._lifetimes.source,
            self._lifetimes.result if is_whole else 0,
            EVENTS,
            message_of(ref, result.state),
            " ".join(BOUNDS),
            MOST_CARRIED,
        ]
        return bool(self._run("finish", keys, [*arguments, *blobs]))

    def _blobs_of(self, ref: JobRef, result: JobResult) -> list[Any]:
        began, blobs = time.monotonic(), list[Any]()
        try:
            for index, (output, blob) in enumerate(zip(result.outputs, result.blobs, strict=False)):
                if self.keeps_objects and time.monotonic() - began > MOST_WRITE_SECONDS:
                    raise StoreUnavailable("the object store is too slow")
                field, kind = blob_field(index), f"image/{output.format}"
                blobs += [field, self._put_away(ref, field, blob, kind)]
        except StoreUnavailable:
            self._not_run(ref)
            raise
        return blobs

    def cancel(self, ref: JobRef) -> Job | None:
        """Cancel a job that has not ended. Return it as canceled, or None if it had ended."""
        job = self.load(ref)
        if not isinstance(job, Job) or job.is_terminal or self.remove(job) != "canceled":
            return None
        return replace(job, state="canceled", position=None)

    def reopen(self, ref: JobRef, commands: Commands) -> bool:
        """Let a failed job wait again; *commands* are the queue's part of the transaction.

        Its progress stays, because progress never falls. Return False if the job is not failed
        any more, or its upload is gone.
        """
        job = self.load(ref)
        if not isinstance(job, Job):
            return False
        owner, upload_from = ref.owner, job.upload_from
        record, upload = record_key(ref), source_key(owner, upload_from)
        keys = [record, upload, users_key(owner, upload_from), RETAINED]
        keys += [record_key(JobRef(owner, upload_from)), PENDING, pending_key(owner), OUTBOX]
        outputs = dump_outputs(tuple(Output(one.name, "queued") for one in job.outputs))
        arguments = [ref.id, upload_from, member_of(ref), outputs]
        arguments += [EVENTS, message_of(ref, "queued")]
        self._lua.load()  # a script that the server does not know would spoil the transaction
        with self.client.pipeline() as pipe:
            pipe.watch(record, upload)  # type: ignore[no-untyped-call]  # redis-py leaves it so
            if pipe.hget(record, "state") != b"failed" or not pipe.exists(upload):
                return False
            pipe.multi()
            commands(pipe)
            self._queue(pipe, "reopen", keys, arguments)
            with suppress(WatchError):
                return bool(pipe.execute()[-1])
        return False

    def remove(self, job: Job) -> str:
        """Cancel a job that has not ended, else delete it. Return the state that it has now."""
        ref = job.ref
        keys = [
            record_key(ref),
            results_key(ref.owner, job.results_from),
            source_key(ref.owner, job.upload_from),
            users_key(ref.owner, job.upload_from),
            borrowers_key(ref.owner, job.upload_from),
            RETAINED,
            PENDING,
            pending_key(ref.owner),
            same_key_of(job),
            sharers_key(ref.owner, job.results_from),
            record_key(JobRef(ref.owner, job.results_from)),
            record_key(JobRef(ref.owner, job.upload_from)),
            RUNNING,
            COUNTS,
            OUTBOX,
        ]
        arguments = [
            ref.id,
            member_of(ref),
            job.results_from,
            job.upload_from,
            self._lifetimes.result,
            self._lifetimes.source,
            EVENTS,
            message_of(ref, "canceled"),
        ]
        objects = self._objects_of(job)

        def fill(pipe: Pipeline) -> None:
            self._queue(pipe, "remove", keys, arguments)
            self._queue_look(pipe, objects)

        return cast(bytes, self._pipeline(fill)[0]).decode()


def _any_failed(outputs: tuple[Output, ...]) -> bool:
    return any(output.error for output in outputs)
