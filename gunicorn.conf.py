"""How gunicorn serves the front end: `gunicorn -c gunicorn.conf.py wsgi:app`."""

import os
from pathlib import Path

from cropsvc.imaging.params.presets import presets_of
from cropsvc.observability import logs
from cropsvc.processes.memory_tuning import tune_allocator
from cropsvc.processes.parent_death import die_with_parent
from cropsvc.settings.reloading import held_settings

LARGEST_KEPT = 256 * 1024  # bytes; without it the heap kept 100 MiB of 50 large uploads

settings = held_settings.read(os.environ, presets_of)  # at the start, and again at each SIGHUP
host = f"[{settings.bind}]" if ":" in settings.bind else settings.bind
bind = f"{host}:{settings.port}"
workers = settings.web_workers
worker_class = "cropsvc.serving.worker.Worker"  # gevent: slow clients must not hold it
worker_connections = 1000  # open connections in each process

timeout = 60  # seconds without a sign of life from a process, not from a request
graceful_timeout = 35  # seconds; a client may wait 30 for its job
keepalive = 5  # seconds; an idle connection holds up a graceful stop for that long

limit_request_line = 8190  # gunicorn's most: `outputs` in a query string is long
forwarded_allow_ips = ""  # the application decides whom to trust: CROPSVC_TRUSTED_PROXIES

control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn's advice
accesslog = None  # the application logs its requests
errorlog = "-"
loglevel = "warning"
logger_class = "cropsvc.serving.log.ServerLog"
logs.configure(settings.log_format, settings.log_level)


def post_fork(server, worker):
    """Ties each process to gunicorn's own, which a SIGKILL may end."""
    die_with_parent(server.pid)


def post_worker_init(worker):
    """Once the application is loaded."""
    tune_allocator(LARGEST_KEPT)
    if worker.age == 1:  # the first process of this start, so that a warning is logged once
        from cropsvc.web import start_check  # after gevent has put its parts in place

        start_check.in_background(worker.wsgi.extensions["cropsvc"].store)
