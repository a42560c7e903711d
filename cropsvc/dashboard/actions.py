"""What an operator can do to jobs: requeue, cancel, delete. RQ's books and our record agree."""

import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, jsonify
from redis.client import Pipeline
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import JobStatus
from rq.registry import CanceledJobRegistry
from werkzeug.exceptions import HTTPException

from cropsvc.dashboard import serialize
from cropsvc.dashboard.rq_models import (
    QUEUED,
    REGISTRIES,
    ReadOnlyJob,
    ReadOnlyQueue,
    fetch,
    job_ids,
    registry_key,
    results_key,
)
from cropsvc.dashboard.services import services
from cropsvc.model.job import Job
from cropsvc.observability import job_log
from cropsvc.queues.rq.queue import UNREADABLE
from cropsvc.store import Commands

STOP_SECONDS = 3.0  # a worker hears of a cancel within half a second
STOP_POLL_SECONDS = 0.05
EVERYTHING = slice(0, 10**9)

bp = Blueprint("cropsvc", __name__)


def requeue(job_id: str) -> Response:
    """Run a failed job again."""
    _requeue(_job(job_id))
    return jsonify(status="OK")


def requeue_all(queue_name: str) -> Response:
    """Run all failed jobs of the queue again. Report how many, and why not the others."""
    done, refused = _each(queue_name, "failed", lambda job_id: _requeue(_job(job_id)))
    return jsonify(status="OK", count=done, refused=refused)


@bp.post("/job/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    """Cancel a job that waits or runs, for its client too."""
    job = _job(job_id)
    status = job.get_status(refresh=False)
    if status == JobStatus.STARTED:
        _cancel_record(job)  # which its worker hears of, and stops
    elif status == JobStatus.QUEUED:
        _cancel_queued(job)
    else:
        abort(409, f"the job is {status.value}: only one that waits or runs can be canceled")
    return jsonify(status="OK")


def delete(job_id: str) -> Response:
    """Take a job off RQ's books; one that waits or runs is canceled for its client."""
    _delete(job_id)
    return jsonify(status="OK")


def empty(queue_name: str, registry_name: str) -> Response:
    """Delete every job of the queue that is in that state."""
    done, refused = _each(queue_name, registry_name, _delete)
    if registry_name == QUEUED:
        _compact(ReadOnlyQueue(queue_name, connection=services().client))
    return jsonify(status="OK", count=done, refused=refused)


def compact(queue_name: str) -> Response:
    """Drop the ids of jobs that are gone from the queue."""
    return jsonify(
        status="OK", count=_compact(ReadOnlyQueue(queue_name, connection=services().client))
    )


def _compact(queue: ReadOnlyQueue) -> int:
    """RQ's own method removes the queue while it works, and does not restore it after an error."""
    client, prefix = services().client, ReadOnlyJob.redis_job_namespace_prefix.encode()
    ids: list[bytes] = client.lrange(queue.key, 0, -1)  # type: ignore[assignment]  # not async
    gone = {job_id for job_id in ids if not client.exists(prefix + job_id)}
    for job_id in gone:
        client.lrem(queue.key, 0, job_id)  # type: ignore[arg-type]  # it takes bytes, too
    return len(gone)


def _each(queue_name: str, registry: str, act: Callable[[str], None]) -> tuple[int, dict[str, str]]:
    queue = ReadOnlyQueue(queue_name, connection=services().client)
    _, ids = job_ids(queue, registry, EVERYTHING, newest_first=False)
    done, refused = 0, {}
    for job_id in dict.fromkeys(ids):
        try:
            act(job_id)
            done += 1
        except HTTPException as error:
            refused[job_id] = error.description or error.name
    return done, refused


def _job(job_id: str) -> ReadOnlyJob:
    try:
        return fetch(job_id, services().client)
    except NoSuchJobError:
        abort(404, "there is no such job on RQ's books")
    except UNREADABLE as error:
        abort(409, f"the job cannot be read ({type(error).__name__}); it can only be deleted")


# -- requeue ----------------------------------------------------------------------------------


def _requeue(job: ReadOnlyJob) -> None:
    status = job.get_status(refresh=False).value
    if status not in serialize.FAILED:
        abort(409, f"the job is {status}: only a failed one can be run again")
    found = serialize.reference(job)
    if found is None:
        abort(409, "the job names another function, which is never run here")
    ref, _ = found
    record = services().store.load(ref)
    if not isinstance(record, Job):
        abort(410, "the job's record has expired or was deleted by its client")
    if record.state != "failed":
        abort(409, f"for its client the job is {record.state}: only a failed one can be run again")
    if not services().store.reopen(ref, _commands(job, record)):
        abort(410, "the job's upload is no longer kept, so it cannot be run again")


def _commands(job: ReadOnlyJob, record: Job) -> Commands:
    """Return what queues the job as new, with all its attempts, and no longer as failed."""
    enqueue = services().job_queue.commands(record.ref, record.upload_from)

    def fill(pipe: Pipeline) -> None:
        enqueue(pipe)
        pipe.persist(job.key)
        pipe.hdel(job.key, "started_at", "ended_at", "exc_info", "worker_name")
        pipe.delete(results_key(job.id))
        pipe.zrem(job.failed_job_registry.key, job.id)

    return fill


# -- cancel and delete ------------------------------------------------------------------------


def _cancel_record(job: ReadOnlyJob) -> None:
    found = serialize.reference(job)
    canceled = services().store.cancel(found[0]) if found else None
    if canceled and job.get_status(refresh=False) == JobStatus.QUEUED:
        job_log.log_job(canceled)


def _cancel_queued(job: ReadOnlyJob) -> None:
    _cancel_record(job)
    job.cancel()
    services().client.expire(job.key, services().keep)
    _forget_expired(CanceledJobRegistry(job.origin, connection=services().client))


def _forget_expired(registry: CanceledJobRegistry) -> None:
    """RQ never cleans the registry of canceled jobs."""
    client = services().client
    ids = registry.get_job_ids(cleanup=False)
    gone = [job_id for job_id in ids if not client.exists(ReadOnlyJob.key_for(job_id))]
    if gone:
        client.zrem(registry.key, *gone)


def _delete(job_id: str) -> None:
    try:
        job = fetch(job_id, services().client)
    except (NoSuchJobError, *UNREADABLE):
        return _erase(job_id)
    _cancel_record(job)
    try:
        _until_stopped(job)
        job.delete()
    except (InvalidJobOperation, *UNREADABLE):
        _erase(job_id)


def _until_stopped(job: ReadOnlyJob) -> None:
    """Wait for a running job's worker: it would write the job down again."""
    deadline = time.monotonic() + STOP_SECONDS
    while job.get_status() == JobStatus.STARTED:
        if time.monotonic() > deadline:
            abort(409, "the job's worker has not stopped it yet; try again in a moment")
        time.sleep(STOP_POLL_SECONDS)


def _erase(job_id: str) -> None:
    """Remove whatever bears the id; 404 if nothing does."""
    queues = ReadOnlyQueue.all(connection=services().client)
    with services().client.pipeline() as pipe:
        pipe.delete(ReadOnlyJob.key_for(job_id), results_key(job_id))
        for queue in queues:
            pipe.lrem(queue.key, 0, job_id)
            for registry in REGISTRIES:
                pipe.zrem(registry_key(queue, registry), job_id)
        removed: list[Any] = pipe.execute()
    if not any(removed):
        abort(404, "there is no such job on RQ's books")
