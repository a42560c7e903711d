"""One log line for each job, at its end, by the process that ended it.

The worker logs the jobs that it ran, the front end those that no worker runs: reused results,
and jobs canceled while they waited.
"""

import structlog

from cropsvc.model.job import Job
from cropsvc.observability.trace_context import request_of

log = structlog.get_logger("cropsvc.job")


def log_end(
    job_id: str, state: str, *, code: str = "", ms: float | None = None, trace: str = ""
) -> None:
    """Log a job's end: its *state*, the error's *code*, how long it ran in milliseconds.

    *trace* came with the job (tracing.py).
    """
    log.info(
        "job",
        job=job_id,
        state=state,
        code=code or None,
        ms=None if ms is None else round(ms, 1),
        request=request_of(trace) or None,
    )


def log_job(job: Job) -> None:
    """Log the same from the job's record."""
    ran = job.started is not None and job.ended is not None and not job.cached
    log_end(
        job.id,
        job.state,
        code=job.error.code if job.error else "cached" if job.cached else "",
        ms=(job.ended or 0) - (job.started or 0) if ran else None,
        trace=job.trace,
    )
