"""A stop that an idle worker is asked for is never lost."""

from contextlib import suppress

from rq.exceptions import StopRequested
from rq.worker import WorkerStatus

from cropsvc.queues.rq.worker import LeanWorker


def test_a_signal_is_obeyed_even_if_its_exception_is_swallowed() -> None:
    worker = object.__new__(LeanWorker)  # without Redis: nothing of it may be used
    worker._state, worker._stop_requested = WorkerStatus.IDLE, False
    with suppress(StopRequested):  # as a log handler does
        worker._shutdown()
    assert worker.dequeue_job_and_maintain_ttl(10) is None
