"""Whether this container's part lives, as an exit code, for Docker and `make up`.

`python -m cropsvc.run.health web`, or `worker`, `dashboard`, `ready`, `process`.

It is started every few seconds, so it loads little. It limits its own time: Docker 20 leaves checks
that take too long running, and on a busy machine they would pile up.
"""

import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path

from cropsvc.settings.settings import Settings

SECONDS = 3.0
MAX_SECONDS = 5  # seconds, as in Docker's settings
STOPPED = "TtZX"  # states in which a process does nothing any more
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever http_proxy says


def web(settings: Settings) -> bool:
    """Whether the front end here answers."""
    return _status(settings.port, "/healthz") == 200


def ready(settings: Settings) -> bool:
    """Whether the service is ready, seen from the front end."""
    return _status(settings.port, "/readyz") == 200


def dashboard(settings: Settings) -> bool:
    """Whether the dashboard here answers; that it wants a password is an answer."""
    return _status(settings.dashboard_port, "/") in (200, 401)


def worker(settings: Settings) -> bool:
    """Whether a worker on this host has a fresh heartbeat."""
    from cropsvc.queues.factory import is_alive  # only this check needs Redis and the queue
    from cropsvc.store import connection

    client = connection.plain(settings.redis_url, SECONDS)
    return is_alive(settings, client, socket.gethostname())


def process(_settings: Settings) -> bool:
    """Whether this container's main process runs: it is not stopped, and not a zombie.

    It asks nobody, so that an outage of Redis restarts no worker in Kubernetes.
    """
    return state_of(1) not in STOPPED


def state_of(pid: int) -> str:
    """Return the letter of a process's state, from /proc (proc(5)); `X` if there is no such one."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def _status(port: int, path: str) -> int:
    try:
        with DIRECT.open(f"http://127.0.0.1:{port}{path}", timeout=SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


CHECKS = {
    "web": web,
    "ready": ready,
    "worker": worker,
    "dashboard": dashboard,
    "process": process,
}

if __name__ == "__main__":
    signal.alarm(MAX_SECONDS)
    sys.exit(not CHECKS[sys.argv[1]](Settings.from_env(os.environ)))
