"""Jobs that wait or run by their records, and whose message RabbitMQ has lost.

A front end died between storing and sending, a queue was emptied, or the jobs were acknowledged
while the queue was RQ: without this they would wait for ever.

RabbitMQ does not tell which messages it holds, so a loss is concluded. Messages are handed out in
order: one is gone if the queue is empty and no worker has the job in hand, or if a job that came
much later was handed out already. A wrong conclusion costs a second message, which is dropped
when the job has ended: one job has one effect.
"""

from functools import partial

import structlog
from redis.client import Pipeline

from cropsvc.model.errors import Unavailable
from cropsvc.model.job import JobRef
from cropsvc.queues.celery.external_crops import FOREIGN
from cropsvc.queues.celery.queue import CeleryJobQueue
from cropsvc.store import Store, UnfinishedJobs

SILENT_SECONDS = 6  # a running job without a sign of life for so long has lost its worker
OVERTAKEN_SECONDS = 10  # more than the order of submits, or of redeliveries, can be off

log = structlog.get_logger("cropsvc.worker")


class OrphanRecovery:
    """Finds them and sends them again; all workers take turns."""

    def __init__(self, store: Store, job_queue: CeleryJobQueue) -> None:
        self._store = store
        self._job_queue = job_queue
        self._last: list[JobRef] = []

    def came(self, ref: JobRef) -> None:
        """Notes the job that this worker was handed last."""
        self._last = [ref]

    def bring_back(self) -> None:
        """Sends again what was lost in every look for some seconds."""
        if not self._store.may_look_for_orphans():
            return
        standing = self._store.unfinished()
        try:
            lost = self._lost(standing) if standing.waiting or standing.running else []
            for ref in self._store.lasting_orphans(lost):
                self._send_again(ref, standing.now)
        except Unavailable as error:
            log.warning("cannot look for lost jobs", reason=error.detail)

    def _lost(self, standing: UnfinishedJobs) -> list[JobRef]:
        silent = standing.now - SILENT_SECONDS * 1000
        since = {
            **standing.waiting,
            **{ref: seen for ref, seen in standing.running.items() if seen < silent},
        }
        if not since:
            return []
        last = standing.now if self._job_queue.ready() == 0 else self._newest_handed_out(standing)
        return [ref for ref, start in since.items() if start < last]

    def _newest_handed_out(self, standing: UnfinishedJobs) -> int:
        """When the newest job came that a worker was handed, less what the order may be off; ms."""
        own = [ref for ref in standing.running if ref.owner != FOREIGN]
        return max(self._store.created([*own, *self._last]), default=0) - OVERTAKEN_SECONDS * 1000

    def _send_again(self, ref: JobRef, now: int) -> None:
        if ref.owner == FOREIGN:  # its program's message brings it back, or nobody waits for it
            self._store.cancel(ref)
            return
        home = self._store.requeue(ref, partial(self._begin, ref), since=now)
        if home is not None:
            self._job_queue.publish(ref, home)
            log.info("job sent again", job=ref.id)

    def _begin(self, ref: JobRef, pipe: Pipeline, upload_from: str) -> None:
        self._job_queue.enqueue(pipe, ref, upload_from)
