"""A job's way from running to its end: done, failed, canceled or deleted."""

import json
from collections.abc import Callable
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
from cropsvc.store import scripts
from cropsvc.store.keys import (
    COUNTS,
    EVENTS,
    PACE,
    PENDING,
    RETAINED,
    RUNNING,
    blob_field,
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
from cropsvc.store.model import ClaimedJob, JobResult

MOST_RUNS = 5  # a job whose worker died that often is given up


class Running(Reading):
    """What workers and crop processes write, and cancels."""

    def begin(self, ref: JobRef, upload_from: str) -> ClaimedJob | str:
        """Takes the job for running, with the upload's bytes, in one round trip.

        Gives `over` if it has ended already, `spent` if its workers died too often.
        """

        def read(pipe: Pipeline) -> None:
            keys = [record_key(ref), PENDING, pending_key(ref.owner), RUNNING]
            self._queue(pipe, scripts.BEGIN, keys, [member_of(ref), MOST_RUNS])
            pipe.get(source_key(ref.owner, upload_from))

        (verdict, *fields), data = self._pipeline(read)
        if verdict != b"go":
            return cast(bytes, verdict).decode()
        request, source, home, created, started, trace = fields
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
        """Notes a running job's progress (0 to 1, never falling) and stage, and tells waiters.

        *mirror* is a hash key, field and value of the engine's that is set with it, if the hash
        is still there.
        """

        def write(pipe: Pipeline) -> None:
            arguments = [round(progress, 4), stage, EVENTS, message_of(ref, "running")]
            self._queue(pipe, scripts.PROGRESS, [record_key(ref)], arguments)
            if mirror:
                self._queue(pipe, scripts.PATCH, [mirror[0]], mirror[1:])

        self._pipeline(write)

    def finish(self, ref: JobRef, source: SourceInfo, request: str, outcome: JobResult) -> bool:
        """Ends the job: record, bytes and news in one atomic step. False if it had ended."""
        home = cast(bytes | None, self.client.hget(record_key(ref), "source_home"))
        return self.finish_work(
            ClaimedJob(ref, None, source, request, (home or b"").decode(), 0, 0, ""), outcome
        )

    def finish_work(self, work: ClaimedJob, outcome: JobResult) -> bool:
        """The same for work that was begun here: one round trip."""
        ref, whole = work.ref, outcome.state == "done" and not _any_failed(outcome.outputs)
        keys = [
            record_key(ref),
            results_key(ref.owner, ref.id),
            source_key(ref.owner, work.upload_from),
            users_key(ref.owner, work.upload_from),
            RETAINED,
            PENDING,
            pending_key(ref.owner),
            same_key(ref.owner, work.source.sha256, work.request),
            PACE,
            RUNNING,
            COUNTS,
        ]
        blobs: list[Any] = []
        for index, blob in enumerate(outcome.blobs):
            blobs += [blob_field(index), blob]
        arguments = [
            ref.id,
            member_of(ref),
            outcome.state,
            dump_outputs(outcome.outputs) if outcome.outputs else "",
            dump(outcome.error) if outcome.error else "",
            self._lifetimes.result,
            self._lifetimes.source,
            self._lifetimes.result if whole else 0,
            EVENTS,
            message_of(ref, outcome.state),
        ]
        return bool(self._run(scripts.FINISH, keys, [*arguments, *blobs]))

    def fail(self, ref: JobRef, error: Problem) -> bool:
        """Ends the job as failed, from a process that did not begin it."""
        job = self.load(ref)
        if not isinstance(job, Job):
            return False
        return self.finish(ref, job.source, job.request, JobResult("failed", error=error))

    def cancel(self, ref: JobRef) -> Job | None:
        """Cancels a job that has not ended; gives it as it is then, None if it had ended."""
        job = self.load(ref)
        if not isinstance(job, Job) or job.is_terminal or self.remove(job) != "canceled":
            return None
        return replace(job, state="canceled", position=None)

    def reopen(self, ref: JobRef, enqueue: Callable[[Pipeline], object]) -> bool:
        """Lets a failed job wait again, in the transaction that *enqueue* begins on its pipeline.

        Its progress stays, for it never falls. False if the job is not failed (any more), or its
        upload is gone.
        """
        job = self.load(ref)
        if not isinstance(job, Job):
            return False
        owner, home = ref.owner, job.upload_from
        source, outputs = (
            source_key(owner, home),
            [Output(one.name, "queued") for one in job.outputs],
        )
        keys = [
            record_key(ref),
            source,
            users_key(owner, home),
            RETAINED,
            record_key(JobRef(owner, home)),
        ]
        keys += [PENDING, pending_key(owner)]
        arguments = [ref.id, home, member_of(ref), dump_outputs(tuple(outputs))]
        arguments += [EVENTS, message_of(ref, "queued")]
        with self.client.pipeline() as pipe:
            pipe.watch(*keys[:2])  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            if pipe.hget(keys[0], "state") != b"failed" or not pipe.exists(source):
                return False
            enqueue(pipe)  # first, as in `submit`
            pipe.eval(scripts.REOPEN, len(keys), *keys, *arguments)
            with suppress(WatchError):
                return bool(pipe.execute()[-1])
        return False

    def remove(self, job: Job) -> str:
        """Cancels a job that has not ended, else deletes it; gives the state it has now."""
        ref = job.ref
        keys = [
            record_key(ref),
            results_key(ref.owner, job.results_from),
            source_key(ref.owner, job.upload_from),
            users_key(ref.owner, job.upload_from),
            RETAINED,
            PENDING,
            pending_key(ref.owner),
            same_key_of(job),
            sharers_key(ref.owner, job.results_from),
            record_key(JobRef(ref.owner, job.results_from)),
            RUNNING,
            COUNTS,
        ]
        arguments = [
            ref.id,
            member_of(ref),
            job.results_from,
            self._lifetimes.result,
            self._lifetimes.source,
            EVENTS,
            message_of(ref, "canceled"),
            job.upload_from,
        ]
        return cast(bytes, self._run(scripts.REMOVE, keys, arguments)).decode()


def _any_failed(outputs: tuple[Output, ...]) -> bool:
    return any(output.error for output in outputs)
