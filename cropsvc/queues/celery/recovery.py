"""Recovery of jobs that wait or run by their records, but whose message RabbitMQ has lost.

A front end died between storing and sending, a queue was emptied, or the jobs were accepted while
the queue was RQ. Without this such a job never ends.

RabbitMQ does not list the messages that it holds, so a loss is inferred. It delivers in order. A
message is lost if the queue is empty and no worker runs the job, or if a much later job was
delivered already. A wrong guess costs a second message, which a worker drops once the job has
ended: one job has one effect.
"""

import structlog

from cropsvc.model.errors import Unavailable
from cropsvc.model.job import JobRef
from cropsvc.queues.celery.external_crops import FOREIGN
from cropsvc.queues.celery.queue import CeleryJobQueue
from cropsvc.store import Store, UnfinishedJobs

SILENT_SECONDS = 6  # a running job without a heartbeat for so long has lost its worker
OVERTAKEN_SECONDS = 10  # more than the order of submits, or of redeliveries, can be off

log = structlog.get_logger("cropsvc.worker")


class OrphanRecovery:
    """Finds lost jobs and sends them again; all workers take turns."""

    def __init__(self, store: Store, job_queue: CeleryJobQueue) -> None:
        self._store = store
        self._job_queue = job_queue
        self._last: list[JobRef] = []

    def came(self, ref: JobRef) -> None:
        """Note the job that this worker received last."""
        self._last = [ref]

    def bring_back(self) -> None:
        """Send jobs again that counted as lost in every search for some seconds."""
        if not self._store.may_look_for_orphans():
            return
        unfinished = self._store.unfinished()
        try:
            lost = self._lost(unfinished) if unfinished.waiting or unfinished.running else []
            for ref in self._store.lasting_orphans(lost):
                self._send_again(ref, unfinished.now)
        except Unavailable as error:
            log.warning("cannot search for lost jobs", reason=error.detail)

    def _lost(self, unfinished: UnfinishedJobs) -> list[JobRef]:
        silent = unfinished.now - SILENT_SECONDS * 1000
        since = {
            **unfinished.waiting,
            **{ref: seen for ref, seen in unfinished.running.items() if seen < silent},
        }
        if not since:
            return []
        last = (
            unfinished.now if self._job_queue.ready() == 0 else self._newest_delivered(unfinished)
        )
        return [ref for ref, start in since.items() if start < last]

    def _newest_delivered(self, unfinished: UnfinishedJobs) -> int:
        """Return when the newest delivered job was created, less the tolerance in the order; ms."""
        own = [ref for ref in unfinished.running if ref.owner != FOREIGN]
        return max(self._store.created([*own, *self._last]), default=0) - OVERTAKEN_SECONDS * 1000

    def _send_again(self, ref: JobRef, now: int) -> None:
        if ref.owner == FOREIGN:  # its message brings it back, or its program has given up
            self._store.cancel(ref)
            return
        home = self._store.requeue(ref, self._job_queue.commands, since=now)
        if home is not None:
            self._job_queue.publish(ref, home)
            log.info("job sent again", job=ref.id)
