"""RQ's registries of running and finished jobs, written with as few round trips as possible.

They may lag behind the records, because only RQ's own tools read them: a job's end is written
with the start of the next one, or when the worker has nothing to do.
"""

import json
from typing import Any

from redis.client import Pipeline
from rq import Queue
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.utils import now, utcformat
from rq.worker import WorkerStatus

from cropsvc.cropping.process import Reply
from cropsvc.queues.rq.steady_worker import EXECUTION_TTL, SteadyWorker


class Registries:
    """One worker's part in them."""

    def __init__(self, worker: SteadyWorker) -> None:
        self._worker = worker
        self._unsettled: tuple[Job, Execution] | None = None

    def start(self, job: Job, queue: Queue) -> Execution:
        """Write the job's start, and the end of the job before, in one transaction."""
        worker = self._worker
        with worker.connection.pipeline() as pipe:
            self._settle(pipe)
            execution = Execution.create(job, EXECUTION_TTL, pipeline=pipe, worker_name=worker.name)
            worker.set_state(WorkerStatus.BUSY, pipeline=pipe)
            job.prepare_for_execution(worker.name, pipeline=pipe)
            pipe.persist(job.key)
            pipe.lrem(queue.intermediate_queue_key, 1, job.id)
            pipe.execute()
        self._unsettled = None
        worker.executions[execution.id] = execution
        return execution

    def end(self, job: Job, queue: Queue, execution: Execution, reply: Reply) -> None:
        """Write a failure now; keep a success for the next transaction."""
        if reply.state == "canceled":
            self._worker._stopped_job_id = job.id
        if reply.state in ("canceled", "failed"):
            job.retries_left = 0  # the runner has made all attempts
            reason = f"{reply.code}: {reply.detail}" if reply.code else reply.state
            self._worker.handle_job_failure(job, queue, exc_string=reason, execution=execution)
        else:
            self._unsettled = (job, execution)

    def settle(self) -> None:
        """Write the last job's end, if it is not written yet."""
        if self._unsettled:
            with self._worker.connection.pipeline() as pipe:
                self._settle(pipe)
                pipe.execute()
            self._unsettled = None

    def _settle(self, pipe: Pipeline) -> None:
        """Write a job's end to RQ's registries, without dependents, repeats and results."""
        if not self._unsettled:
            return
        job, execution = self._unsettled
        worker = self._worker
        ttl = job.get_result_ttl(worker.default_result_ttl)
        ended = job.ended_at or now()
        mapping: dict[Any, Any] = {
            "status": JobStatus.FINISHED.value,
            "ended_at": utcformat(ended),
            "meta": json.dumps({"progress": 1.0, "stage": "done"}),
        }
        pipe.hset(job.key, mapping=mapping)
        pipe.expire(job.key, ttl)
        job.finished_job_registry.add(job, ttl, pipeline=pipe)
        worker.increment_successful_job_count(pipeline=pipe)
        worker.increment_total_working_time(ended - (job.started_at or ended), pipe)
        worker.cleanup_execution(job, pipeline=pipe, execution=execution)
