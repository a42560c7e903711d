"""The containers' health check: cheap, for it is started every few seconds, and never endless."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from tests.stack import ROOT, Stack


def check(part: str, **environ: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cropsvc.run.health", part]
    told = {**os.environ, **{name: str(value) for name, value in environ.items()}}
    return subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("part", ["web", "ready", "worker"])
def test_what_lives_is_said_to_live(stack: Stack, part: str) -> None:
    assert check(part, PORT=stack.port, CROPSVC_REDIS_URL=stack.redis_url).returncode == 0


@pytest.mark.parametrize("part", ["web", "dashboard", "worker"])
def test_a_hanging_part_is_reported_in_time(part: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"redis://127.0.0.1:{port}/0"
        begun = time.monotonic()
        done = check(part, PORT=port, DASHBOARD_PORT=port, CROPSVC_REDIS_URL=url)
        assert done.returncode != 0
        assert time.monotonic() - begun < 10


def test_a_check_ends_though_its_answer_never_does() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_trickle, args=[server], daemon=True).start()
        done = check("web", PORT=server.getsockname()[1])
    assert done.returncode == -signal.SIGALRM


def _trickle(server: socket.socket) -> None:
    client, _ = server.accept()
    with client, suppress(OSError):
        client.sendall(b"HTTP/1.1 200 OK\r\nX-Endless: ")
        for _ in range(60):
            client.sendall(b"x")
            time.sleep(0.5)


def test_the_front_ends_check_loads_no_client_of_redis() -> None:
    code = "import sys, cropsvc.run.health; print([m for m in ('redis', 'rq') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
