"""Serves the dashboard with gunicorn on DASHBOARD_PORT.

Without CROPSVC_DASHBOARD_USER and _PASSWORD it listens on loopback, whatever CROPSVC_BIND says.
"""

import os
import sys
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from cropsvc.dashboard.address import is_loopback
from cropsvc.observability import logs
from cropsvc.processes.parent_death import die_with_parent
from cropsvc.serving.log import ServerLog
from cropsvc.settings.reloading import held_settings
from cropsvc.settings.settings import Settings

LOOPBACK = "127.0.0.1"


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """One gunicorn process that serves the dashboard."""

    def load_config(self) -> None:
        """gunicorn's settings, instead of a file of them; read again at a SIGHUP."""
        self._settings = held_settings.read(os.environ)
        for name, value in _options(self._settings).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the application; imported here, after gevent has put its parts in place."""
        from cropsvc.dashboard.app import create_app

        return create_app(self._settings)


def _options(settings: Settings) -> dict[str, Any]:
    host = address_for(settings)
    return {
        "bind": [f"{f'[{host}]' if ':' in host else host}:{settings.dashboard_port}"],
        "worker_class": "cropsvc.serving.problem_worker.ProblemWorker",
        "worker_connections": 100,
        "timeout": 60,
        "graceful_timeout": 2,
        "keepalive": 2,
        "forwarded_allow_ips": "",
        "control_socket_disable": True,
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108 - gunicorn's advice
        "errorlog": "-",
        "loglevel": "warning",
        "logger_class": ServerLog,
        "proc_name": "cropsvc-dashboard",
        "post_fork": _tie,
    }


def _tie(server: Any, worker: object) -> None:
    die_with_parent(server.pid)


def address_for(settings: Settings) -> str:
    """Where to listen: CROPSVC_BIND with a password or on loopback, else 127.0.0.1."""
    if settings.dashboard_password or is_loopback(settings.bind):
        return settings.bind
    return LOOPBACK


def main() -> None:
    """Serve until SIGTERM; end with a clear line when a setting is wrong."""
    settings = held_settings.read(os.environ)
    if address_for(settings) != settings.bind:
        sys.stderr.write(
            f"cropsvc: the dashboard listens on {LOOPBACK}, not on CROPSVC_BIND={settings.bind}:"
            " for that it needs CROPSVC_DASHBOARD_USER and CROPSVC_DASHBOARD_PASSWORD\n"
        )
    logs.configure(settings.log_format, settings.log_level)
    Server().run()


if __name__ == "__main__":
    main()
