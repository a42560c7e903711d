"""`make run`: Valkey, the workers, the front end and the dashboard, in the foreground."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from cropsvc.imaging.params.presets import presets_of
from cropsvc.observability import logs
from cropsvc.processes.parent_death import die_with_parent
from cropsvc.processes.supervisor import Child, Program, Supervisor
from cropsvc.run import ports, readiness, valkey
from cropsvc.run.reload import Watch
from cropsvc.settings.settings import ConfigError, Settings

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable
PORTS_TRIED = 100  # for one that is free
ANY_OR_LOOPBACK = ("127.0.0.1", "0.0.0.0", "::1", "::")  # noqa: S104 - compared, not bound


class PortTaken(Exception):
    """A port that cannot be listened on, and the cure."""


def main() -> int:
    """Run all until Ctrl-C or SIGTERM. Return the exit code."""
    if "MAKELEVEL" in os.environ:
        die_with_parent(os.getppid(), signal.SIGTERM)
    try:
        settings = Settings.from_env(os.environ)
        presets_of(settings)  # wrong ones stop the start
        logs.configure(settings.log_format, settings.log_level)
        _check_ports(settings)
        with Supervisor() as supervisor:
            _serve(supervisor, settings)
            if supervisor.stop_asked:
                click.echo(
                    f"cropsvc is stopping; a running crop has {settings.job_timeout + 5} s to end"
                )
    except (
        ConfigError,
        PortTaken,
        valkey.Unusable,
        readiness.StartupTimeout,
    ) as error:
        click.echo(f"cropsvc: {error}", err=True)
        return 1
    click.echo("cropsvc has stopped")
    return 0


def _check_ports(settings: Settings) -> None:
    if reason := ports.address_refusal(settings.bind):
        raise ConfigError(f"CROPSVC_BIND={settings.bind!r}: {reason}")
    wanted = {"PORT": settings.port, "DASHBOARD_PORT": settings.dashboard_port}
    if settings.port == settings.dashboard_port:
        raise PortTaken(f"PORT and DASHBOARD_PORT are both {settings.port}; change one")
    for name, port in wanted.items():
        if reason := ports.refusal(settings.bind, port):
            others = (
                p
                for p in range(port + 1, min(port + PORTS_TRIED, 65536))
                if not ports.refusal(settings.bind, p)
            )
            way_out = (
                f"; choose another: make run {name}={other}" if (other := next(others, 0)) else ""
            )
            raise PortTaken(f"{name}={port} on {settings.bind}: {reason}{way_out}")


def _serve(supervisor: Supervisor, settings: Settings) -> None:
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if settings.redis_url:
        readiness.other_store(supervisor, settings.redis_url)
    else:
        server = valkey.prepare(ROOT / "var")
        environ["CROPSVC_REDIS_URL_FILE"] = str(server.url_file)
        [child] = supervisor.start([server.program])
        readiness.embedded_store(supervisor, server.url, child)
    if not supervisor.stop_asked:
        _serve_on(supervisor, settings, environ)


def _serve_on(supervisor: Supervisor, settings: Settings, environ: Mapping[str, str]) -> None:
    # The workers end first, so that the front end still answers while the last crops run.
    supervisor.start([*_front(environ), *_webhooks(settings, environ)])
    workers = supervisor.start(_workers(settings, environ))
    host = "localhost" if settings.bind in ANY_OR_LOOPBACK else settings.bind
    if readiness.page(supervisor, f"http://{host}:{settings.port}"):
        click.echo(f"cropsvc is ready: http://{host}:{settings.port}/")
        click.echo(f"the dashboard:    http://{host}:{settings.dashboard_port}/")
    if environ.get("DEV"):
        _reload(supervisor, workers)
    supervisor.run()


def _grace(settings: Settings) -> float:
    return settings.job_timeout + 5.0


def _reload(supervisor: Supervisor, workers: Sequence[Child]) -> None:
    watch = Watch(ROOT / "cropsvc", workers)
    while not supervisor.stop_asked:
        supervisor.tick(1.0)
        watch.look()


def _front(environ: Mapping[str, str]) -> list[Program]:
    serve = ("-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app")
    reload = ("--reload",) if environ.get("DEV") else ()
    return [
        Program("web", (PYTHON, *serve, *reload), environ, ROOT, grace=3.0),
        Program("dashboard", (PYTHON, "-m", "cropsvc.dashboard"), environ, ROOT, grace=3.0),
    ]


def _webhooks(settings: Settings, environ: Mapping[str, str]) -> list[Program]:
    if not settings.webhooks_on:
        return []
    command = (PYTHON, "-m", "cropsvc.webhooks")
    return [Program("webhooks", command, environ, ROOT, grace=25.0)]


def _workers(settings: Settings, environ: Mapping[str, str]) -> list[Program]:
    one = {**environ, "WORKERS": "1"}
    command = (PYTHON, "worker.py")
    return [
        Program(f"worker-{number}", command, one, ROOT, grace=_grace(settings))
        for number in range(1, settings.workers + 1)
    ]


if __name__ == "__main__":
    sys.exit(main())
