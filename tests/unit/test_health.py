"""What Docker asks of the containers' health ends by itself; `process` needs no Redis."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from cropsvc.run import health
from tests.stack import until

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["docker-compose.yml", "Dockerfile"])
def test_a_check_that_takes_too_long_is_killed(name: str) -> None:
    """Docker stops waiting but leaves the process: on a busy machine dozens piled up."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    checks = [line for line in lines if '"cropsvc.run.health"' in line]
    assert checks
    assert all('"timeout", "-s", "KILL", "5", "python"' in check for check in checks)


def test_a_process_that_was_stopped_or_has_ended_does_not_run() -> None:
    assert health.state_of(os.getpid()) not in health.STOPPED
    with subprocess.Popen(["sleep", "60"]) as child:
        child.send_signal(signal.SIGSTOP)
        until(lambda: health.state_of(child.pid) == "T", seconds=5, what="the child is stopped")
        child.kill()
        until(lambda: health.state_of(child.pid) == "Z", seconds=5, what="the child is a zombie")
    assert health.state_of(child.pid) == "X"
    assert set("TZX") <= set(health.STOPPED)
