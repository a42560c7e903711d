"""Looking up jobs, results and uploads."""

from typing import cast

from cropsvc.model.job import Job, JobRef, State, job_from_fields
from cropsvc.store.base import Base
from cropsvc.store.keys import PENDING, blob_field, member_of, record_key, results_key, source_key


class Reading(Base):
    """What is known of a job."""

    def load(self, ref: JobRef) -> Job | State | None:
        """The job; or just its state if it was deleted; None without a record."""
        with self.client.pipeline(transaction=False) as pipe:
            pipe.hgetall(record_key(ref))
            pipe.zrank(PENDING, member_of(ref))
            fields, rank = pipe.execute()
        return _job_or_state(ref, fields, rank)

    def load_with_bytes(self, ref: JobRef, index: int) -> tuple[Job | State | None, bytes | None]:
        """The job and its *index*th result, in one round trip if the result is its own."""
        with self.client.pipeline(transaction=False) as pipe:
            pipe.hgetall(record_key(ref))
            pipe.hget(results_key(ref.owner, ref.id), blob_field(index))
            fields, data = pipe.execute()
        job = _job_or_state(ref, fields, None)
        if isinstance(job, Job) and job.results_from != ref.id:
            data = self.result(job, index)
        return job, data

    def result(self, job: Job, index: int) -> bytes | None:
        """The bytes of the job's *index*th output, if they still live."""
        key = results_key(job.ref.owner, job.results_from)
        return cast(bytes | None, self.client.hget(key, blob_field(index)))

    def source(self, job: Job) -> bytes | None:
        """The upload's bytes, if they still live."""
        return cast(bytes | None, self.client.get(source_key(job.ref.owner, job.upload_from)))

    def has_source(self, job: Job) -> bool:
        """Whether the upload's bytes still live."""
        return bool(self.client.exists(source_key(job.ref.owner, job.upload_from)))

    def is_stopped(self, ref: JobRef) -> bool:
        """Whether a job was canceled or deleted, or its record is gone."""
        return self.client.hget(record_key(ref), "state") in (None, b"canceled", b"deleted")

    def trace(self, ref: JobRef) -> str:
        """What the job's request left for its log lines and spans; empty without a record."""
        return (cast(bytes | None, self.client.hget(record_key(ref), "trace")) or b"").decode()


def _job_or_state(ref: JobRef, fields: dict[bytes, bytes], rank: int | None) -> Job | State | None:
    if not fields:
        return None
    if b"request" not in fields:
        return "deleted"
    return job_from_fields(ref, fields, None if rank is None else rank + 1)
