"""RQ's registries of running and finished jobs, written with as few round trips as possible.

A job's start is written in the same step that pops it. They may lag behind the records, because
only RQ's own tools read them: a job's end is written with the start of the next one, or when the
queue is empty.
"""

from pathlib import Path
from typing import Any
from uuid import uuid4

from rq.exceptions import NoSuchJobError
from rq.executions import Execution, ExecutionRegistry
from rq.job import Job
from rq.utils import now, utcformat
from rq.worker import WorkerStatus

from cropsvc.cropping.process import Reply
from cropsvc.queues.rq.queue import UNREADABLE, CropJob, CropQueue, UnreadableJob
from cropsvc.queues.rq.steady_worker import EXECUTION_TTL, SteadyWorker
from cropsvc.store.lua import Lua

SCRIPTS = Path(__file__).with_name("scripts")


class Registries:
    """One worker's part in them; `execution` is that of the job that was taken last."""

    execution: Execution

    def __init__(self, worker: SteadyWorker, queue: CropQueue) -> None:
        self._worker = worker
        self._queue = queue
        self._lua = Lua(queue.connection, SCRIPTS)
        self._started = queue.started_job_registry.key
        self._finished = queue.finished_job_registry.key
        self._prefixes = (
            CropJob.redis_job_namespace_prefix,
            Execution("", "", queue.connection).key[:-1],
            ExecutionRegistry("", queue.connection).key,
        )
        self._unsettled: list[Any] = []

    def take(self, popped: str = "") -> CropJob | None:
        """Pop the next job, write its start and the end of the job before, in one round trip.

        *popped* is a job that lies between pop and start already. Return None if the queue is
        empty. Raises UnreadableJob for a job that RQ cannot read.
        """
        while taken := self._taken(popped):
            job_id = taken[0].decode()
            if len(taken) == 1:
                raise UnreadableJob(job_id, "its key holds no hash")
            if taken[1]:  # else it was deleted while it waited
                return self._begun(job_id, taken[1])
            popped = ""
        return None

    def _taken(self, popped: str) -> Any:
        worker, queue = self._worker, self._queue
        execution = Execution(uuid4().hex, "", queue.connection, worker.name)
        created = execution.created_at
        keys = [queue.key, queue.intermediate_queue_key, *self._keys(execution)]
        arguments: list[Any] = [*self._prefixes, worker.name, execution.id, utcformat(created)]
        arguments += [created.timestamp(), EXECUTION_TTL, popped, *self._unsettled]
        taken = self._lua.run("take", keys, arguments)
        self._unsettled = []
        self.execution = execution
        return taken

    def _keys(self, execution: Execution) -> list[str]:
        return [self._started, self._finished, self._worker.key, execution.worker_executions_key]

    def _begun(self, job_id: str, pairs: list[bytes]) -> CropJob:
        execution = self.execution
        execution.job_id = job_id
        job = CropJob(job_id, connection=self._queue.connection, serializer=self._queue.serializer)
        try:
            job.restore(dict(zip(pairs[::2], pairs[1::2], strict=True)))
        except (*UNREADABLE, NoSuchJobError) as error:
            self.forget(job_id)
            raise UnreadableJob(job_id, repr(error)) from error
        job.worker_name = self._worker.name
        job.started_at = job.last_heartbeat = execution.created_at
        self._worker.executions[execution.id] = execution
        self._worker.set_state(WorkerStatus.BUSY)
        return job

    def forget(self, job_id: str) -> None:
        """Take the start of a job back that cannot be run."""
        with self._queue.connection.pipeline() as pipe:
            pipe.zrem(self._started, self.execution.composite_key)
            pipe.delete(self.execution.key, f"{self._prefixes[2]}{job_id}")
            pipe.srem(self.execution.worker_executions_key, self.execution.composite_key)
            pipe.execute()

    def end(self, job: Job, reply: Reply) -> None:
        """Write a failure now; keep a success for the next step."""
        worker, execution = self._worker, self.execution
        if reply.state == "canceled":
            worker._stopped_job_id = job.id
        if reply.state in ("canceled", "failed"):
            job.retries_left = 0  # the runner has made all attempts
            reason = f"{reply.code}: {reply.detail}" if reply.code else reply.state
            worker.handle_job_failure(job, self._queue, exc_string=reason, execution=execution)
        else:
            worker.executions.pop(execution.id, None)
            ended = job.ended_at or now()
            seconds = (ended - (job.started_at or ended)).total_seconds()
            self._unsettled = [job.id, execution.id, utcformat(ended), int(ended.timestamp())]
            self._unsettled += [job.get_result_ttl(worker.default_result_ttl), seconds]

    def settle(self) -> None:
        """Write the last job's end, if it is not written yet."""
        if self._unsettled:
            keys = self._keys(self.execution)
            self._lua.run("settle", keys, [*self._prefixes, *self._unsettled])
            self._unsettled = []
