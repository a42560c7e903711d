"""What a worker writes while a job runs: progress, and the heartbeats of worker, job, execution."""

import json
import time

from rq.executions import Execution
from rq.job import Job

from cropsvc.model.job import JobRef
from cropsvc.queues.rq.steady_worker import HEARTBEAT_SECONDS, SteadyWorker


class Reporter:
    """Reports progress in the job's meta, and refreshes the heartbeats."""

    def __init__(self, worker: SteadyWorker, job: Job, execution: Execution, ref: JobRef) -> None:
        self._worker, self._job, self._execution, self._ref = worker, job, execution, ref
        self._due = time.monotonic() + HEARTBEAT_SECONDS

    def progress(self, stage: str, fraction: float) -> None:
        """Write stage and fraction to the record and to the job's meta, in one round trip."""
        self._job.meta = {"progress": round(fraction, 4), "stage": stage}
        self._worker.store.report(
            self._ref, fraction, stage, (self._job.key, "meta", json.dumps(self._job.meta))
        )

    def alive(self) -> None:
        """Refresh the heartbeats of worker, job and execution if they are due."""
        if time.monotonic() >= self._due:
            self._worker.maintain_heartbeats(self._job, self._execution)
            self._due = time.monotonic() + HEARTBEAT_SECONDS

    def is_stopped(self) -> bool:
        """Return whether an operator stopped the job through RQ."""
        return self._worker.is_stopping(self._job)
