"""A worker that has not begun: Redis is not there yet."""

import signal
import sys
from pathlib import Path

from tests.stack import Part, free_port, until


def test_a_worker_that_waits_for_redis_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    """Exit code 0 shows a handler. Process 1 of a container ignores a signal without one."""
    environ = {"CROPSVC_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0", "WORKERS": "1"}
    worker = Part(
        "worker", [sys.executable, "worker.py"], environ=environ, log=tmp_path / "worker.log"
    )
    worker.start()
    try:
        until(lambda: "waiting for Redis" in worker.tail(), seconds=20, what="it waits")
        worker.signal(signal.SIGTERM)
        assert worker.join(5) == 0
    finally:
        worker.signal(signal.SIGKILL)
