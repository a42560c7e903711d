"""The job service that the front end uses: submit, look up, wait, follow, cancel."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

from cropsvc.jobs.events import Subscription
from cropsvc.jobs.lookup import Policy, error_of
from cropsvc.jobs.submit import Submission, Submissions, Upload
from cropsvc.model.errors import Canceled, Deleted, Expired, NotFound, NotReady, Unavailable
from cropsvc.model.job import Job, JobRef, Output
from cropsvc.observability import job_log
from cropsvc.store import StoreUnavailable, done_job

__all__ = ["Jobs", "Policy", "Submission", "Upload", "error_of"]

HEARTBEAT_SECONDS = 15.0
POSITION_SECONDS = 1.0  # how often a waiting job's position is looked up
OUTAGE_SECONDS = 5.0  # how long a waiter or a stream bears a store that is unavailable
RETRY_SECONDS = 0.5  # between tries while it is


class Jobs(Submissions):
    """All that can be done with jobs."""

    def watch(self, ref: JobRef) -> AbstractContextManager[Subscription]:
        """Watch a job's end. Begin before the job is read or submitted."""
        return self._events.watch(ref)

    def wait(self, owner: str, job_id: str, seconds: float) -> Job:
        """Return the job once it has ended, or as it is after *seconds*."""
        if seconds <= 0:
            return self.get(owner, job_id)
        ref = JobRef(owner, job_id)
        with self._events.watch(ref) as watch:
            return self.wait_on(watch, self._known(ref, watch.read()), seconds)

    def wait_on(self, watch: Subscription, job: Job, seconds: float) -> Job:
        """Do the same for a watch that began before *job* was read."""
        return self._ended(watch, job, seconds, lambda: self._known(job.ref, watch.read()))

    def wait_on_bytes(
        self, watch: Subscription, job: Job, seconds: float
    ) -> tuple[Job, bytes | None]:
        """Do the same, and return the first output's bytes too: at most one round trip for both."""
        data: bytes | None = None

        def read() -> Job:
            nonlocal data
            if watch.carried:
                ended, data = done_job(job, watch.carried)
                return ended
            found, data = self._store.load_with_bytes(job.ref, 0)
            return self._known(job.ref, found)

        ended = self._ended(watch, job, seconds, read)
        return (ended if ended.is_terminal else self.get(job.ref.owner, job.id)), data

    @staticmethod
    def _ended(watch: Subscription, job: Job, seconds: float, read: Callable[[], Job]) -> Job:
        outage = Outage()
        deadline = time.monotonic() + seconds
        while not job.is_terminal and (left := deadline - time.monotonic()) > 0:
            watch.wait(min(left, outage.pause))
            job = outage.ride(read, job)
        return job

    def follow(self, owner: str, job_id: str) -> Iterator[Job | None]:
        """Return the job's changes from now on, the end last; None is a heartbeat.

        Raises NotFound, Expired or Deleted at once. The iterator raises Unavailable, Expired or
        NotFound if it must end before the job does.
        """
        ref = JobRef(owner, job_id)
        with self._events.watch(ref) as watch:  # so that a crowd shares its first reads too
            job = self._known(ref, watch.read())
        return self._follow(job)

    def _follow(self, job: Job) -> Iterator[Job | None]:
        with self._events.watch(job.ref, every_change=True) as watch:
            shown, sent = None, time.monotonic()
            outage = Outage()
            while True:
                job = outage.ride(partial(self._followed, watch, job), job)
                if job != shown:
                    shown, sent = job, time.monotonic()
                    yield job
                if job.is_terminal:
                    return
                left = min(sent + HEARTBEAT_SECONDS - time.monotonic(), outage.pause)
                watch.wait(min(left, POSITION_SECONDS) if job.state == "queued" else left)
                if time.monotonic() - sent >= HEARTBEAT_SECONDS:
                    sent = time.monotonic()
                    yield None

    def _followed(self, watch: Subscription, job: Job) -> Job:
        try:
            return self._known(job.ref, watch.read())
        except Deleted:
            return replace(job, state="canceled", position=None)

    def image(self, owner: str, job_id: str, name: str | None) -> tuple[Job, Output, bytes]:
        """Return the named output's facts and bytes, or the first's.

        Raises NotReady, the job's or output's own error, Canceled, Deleted, Expired, NotFound.
        """
        ref = JobRef(owner, job_id)
        found, data = self._store.load_with_bytes(ref, 0)
        return self.image_of(self._known(ref, found), name, data)

    def image_url(
        self, owner: str, job_id: str, name: str | None, seconds: int
    ) -> tuple[Job, Output, str | None]:
        """Return the same facts, and a URL of the bytes that lives for *seconds*.

        The URL is None if the bytes are not in an object store. Raises what `image` raises.
        """
        job = self.get(owner, job_id)
        output = self.output_of(job, name)
        return job, output, self._store.result_url(job, job.outputs.index(output), seconds)

    def image_of(
        self, job: Job, name: str | None, first: bytes | None
    ) -> tuple[Job, Output, bytes]:
        """Do the same for a job that was read, with the *first* output's bytes if known."""
        output = self.output_of(job, name)
        index = job.outputs.index(output)
        data = self._store.result(job, index) if index or first is None else first
        if data is None:
            raise Expired(f"the image of job {job.id} has expired")
        return job, output, data

    def output_of(self, job: Job, name: str | None) -> Output:
        """Return the named output's facts, or the first's, of a job that is done.

        Raises NotFound, NotReady, Canceled, the job's or output's own error.
        """
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
        """Return the job and its upload's bytes. Raises Expired if they are no longer kept."""
        job = self.get(owner, job_id)
        data = self._store.source(job)
        if data is None:
            raise Expired(f"the upload of job {job_id} is no longer kept")
        return job, data

    def delete(self, owner: str, job_id: str) -> None:
        """Cancel a job that has not ended, delete one that has. A repeat does nothing."""
        try:
            job = self.get(owner, job_id)
        except Deleted:
            return
        if self._store.remove(job) == "canceled" and self._job_queue.forget(job.ref):
            job_log.log_job(replace(job, state="canceled"))


class Outage:
    """Lets a waiter ride out a store that cannot be used for a moment."""

    def __init__(self) -> None:
        self._since: float | None = None

    @property
    def pause(self) -> float:
        """How many seconds to wait at most before the next read."""
        return HEARTBEAT_SECONDS if self._since is None else RETRY_SECONDS

    def ride(self, read: Callable[[], Job], last: Job) -> Job:
        """Return the job that *read* returns, or *last* while the store is unavailable.

        Raises Unavailable after OUTAGE_SECONDS.
        """
        try:
            job = read()
        except StoreUnavailable as error:
            now = time.monotonic()
            self._since = self._since or now
            if now - self._since < OUTAGE_SECONDS:
                return last
            detail = f"the store was unavailable for {OUTAGE_SECONDS:g} s; try again"
            raise Unavailable(detail, retry_after=2) from error
        self._since = None
        return job
