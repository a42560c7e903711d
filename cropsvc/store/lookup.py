"""Looking up jobs, results and uploads."""

from typing import cast

from cropsvc.model.job import Job, JobRef, job_from_fields
from cropsvc.store.blobs import Blobs
from cropsvc.store.errors import hides_redis
from cropsvc.store.keys import PENDING, blob_field, member_of, record_key, results_key, source_key
from cropsvc.store.model import DELETED, Deleted


@hides_redis
class Reading(Blobs):
    """What the store knows about a job."""

    def load(self, ref: JobRef) -> Job | Deleted | None:
        """Return the job; DELETED if it was deleted; None if there is no record."""
        with self.client.pipeline(transaction=False) as pipe:
            pipe.hgetall(record_key(ref))
            pipe.zrank(PENDING, member_of(ref))
            fields, rank = pipe.execute()
        return _job_or_state(ref, fields, rank)

    def load_with_bytes(self, ref: JobRef, index: int) -> tuple[Job | Deleted | None, bytes | None]:
        """Return the job and its *index*th result, in one round trip if the result is its own."""
        with self.client.pipeline(transaction=False) as pipe:
            pipe.hgetall(record_key(ref))
            pipe.hget(results_key(ref.owner, ref.id), blob_field(index))
            fields, data = pipe.execute()
        job = _job_or_state(ref, fields, None)
        if isinstance(job, Job) and job.results_from != ref.id:
            return job, self.result(job, index)
        return job, self._fetched(data)

    def result(self, job: Job, index: int) -> bytes | None:
        """Return the bytes of the job's *index*th output; None if they have expired."""
        key = results_key(job.ref.owner, job.results_from)
        return self._fetched(cast(bytes | None, self.client.hget(key, blob_field(index))))

    def source(self, job: Job) -> bytes | None:
        """Return the upload's bytes; None if they are no longer kept."""
        key = source_key(job.ref.owner, job.upload_from)
        return self._fetched(cast(bytes | None, self.client.get(key)))

    def has_source(self, job: Job) -> bool:
        """Return whether the upload's bytes are still kept."""
        return bool(self.client.exists(source_key(job.ref.owner, job.upload_from)))

    def is_stopped(self, ref: JobRef) -> bool:
        """Return whether a job was canceled or deleted, or has no record."""
        return self.client.hget(record_key(ref), "state") in (None, b"canceled", b"deleted")

    def trace(self, ref: JobRef) -> str:
        """Return the trace context of the job's request; empty without a record."""
        return (cast(bytes | None, self.client.hget(record_key(ref), "trace")) or b"").decode()


def _job_or_state(
    ref: JobRef, fields: dict[bytes, bytes], rank: int | None
) -> Job | Deleted | None:
    if not fields:
        return None
    if b"request" not in fields:
        return DELETED
    return job_from_fields(ref, fields, None if rank is None else rank + 1)
