"""A job as the dashboard shows it: RQ's books beside our own record."""

import json
from datetime import datetime
from typing import Any

from flask import url_for
from redis import Redis
from rq.exceptions import NoSuchJobError

from cropsvc.dashboard.rq_models import ReadOnlyJob, fetch
from cropsvc.dashboard.services import services
from cropsvc.model.job import Job, JobRef
from cropsvc.queues.rq.queue import UNREADABLE, ForeignJob, reference_of

MAX_TEXT = 20_000  # characters of one text that are shown
FAILED = ("failed", "stopped")


def row(job_id: str, client: Redis) -> dict[str, Any] | None:
    """Return a job for a list, None if it is gone; one that cannot be read says so."""
    try:
        return summary(fetch(job_id, client))
    except NoSuchJobError:
        return None
    except UNREADABLE as error:
        return unreadable(job_id, error)


def unreadable(job_id: str, error: BaseException) -> dict[str, Any]:
    """Return what can be said of a job whose hash RQ did not write."""
    words = f"this job's hash cannot be read: {type(error).__name__}"
    return {
        "id": job_id,
        "status": "unreadable",
        "description": words,
        "urls": {"delete": url_for("rq_dashboard.delete_job_view", job_id=job_id)},
    }


def summary(job: ReadOnlyJob) -> dict[str, Any]:
    """Return what a list shows of a job."""
    status = str(job.get_status(refresh=False).value)
    record = record_of(job)
    return {
        "id": job.id,
        "description": _short(job.description),
        "status": status,
        "created_at": date(job.created_at),
        "started_at": date(job.started_at),
        "ended_at": date(job.ended_at),
        "exc_info": _reason(job, record, status),
        "state": record.state if record else None,
        "stage": record.stage if record else None,
        "progress": record.progress if record else None,
        "urls": _urls(job, record, status),
    }


def details(job: ReadOnlyJob) -> dict[str, Any]:
    """Return what the job's own page shows."""
    record = record_of(job)
    return {
        **summary(job),
        "origin": job.origin,
        "enqueued_at": date(job.enqueued_at),
        "worker": job.worker_name,
        "function": function_of(job),
        "result": text_of(job.return_value()),
        "metadata": text_of(job.meta),
        "record": _record(record) if record else None,
    }


def reference(job: ReadOnlyJob) -> tuple[JobRef, str] | None:
    """Which crop job it is and where its upload lies; None for a job that is not a crop."""
    try:
        return reference_of(job)
    except (ForeignJob, *UNREADABLE):
        return None


def record_of(job: ReadOnlyJob) -> Job | None:
    """Our record of the job, if there is one."""
    found = reference(job)
    if found is None:
        return None
    try:
        record = services().store.load(found[0])
    except UNREADABLE:
        return None
    return record if isinstance(record, Job) else None


def function_of(job: ReadOnlyJob) -> str:
    """Return the function that the job names, whatever that is."""
    try:
        return _short(str(job.func_name))
    except UNREADABLE:
        return "(unreadable)"


def text_of(value: object) -> str:
    """*value* as JSON text, bytes as their number; nothing for None."""
    return "" if value is None else _short(json.dumps(value, default=_sized))


def date(at: datetime | None) -> str | None:
    """Return a time in ISO 8601."""
    return at.isoformat() if at else None


def _sized(value: object) -> str:
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else f"<{type(value).__name__}>"


def _short(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} … ({len(text)} characters)"


def _reason(job: ReadOnlyJob, record: Job | None, status: str) -> str | None:
    """Return why it failed: our explanation, else the queue's."""
    if status not in FAILED:
        return None
    if record and record.error:
        return _short(f"{record.error.code}: {record.error.detail}")
    result = job.latest_result()
    return _short(result.exc_string) if result and result.exc_string else status


def _urls(job: ReadOnlyJob, record: Job | None, status: str) -> dict[str, str]:
    """Where to look at the job, and what can be done with it now."""
    urls = {
        "view": url_for("rq_dashboard.job_view", instance_number=0, job_id=job.id),
        "delete": url_for("rq_dashboard.delete_job_view", job_id=job.id),
    }
    if status in FAILED and record and record.state == "failed":
        urls["requeue"] = url_for("rq_dashboard.requeue_job_view", job_id=job.id)
    if status in ("queued", "started"):
        urls["cancel"] = url_for("cropsvc.cancel", job_id=job.id)
    return urls


def _record(record: Job) -> dict[str, Any]:
    source = record.source
    return {
        "owner": record.ref.owner,
        "position": record.position,
        "cached": record.cached,
        "source": f"{source.format}, {source.width} x {source.height}, {source.bytes} bytes",
        "request": _short(record.request),
        "outputs": [
            {
                "name": output.name,
                "state": output.state,
                "size": f"{output.width} x {output.height}" if output.width else "",
                "error": f"{output.error.code}: {output.error.detail}" if output.error else "",
            }
            for output in record.outputs
        ],
    }
