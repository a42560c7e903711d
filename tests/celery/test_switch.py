"""The queue is changed between RQ and Celery: nothing that was acknowledged is lost."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.celery.conftest import MakeService, Service

ROOT = Path(__file__).resolve().parents[2]
OURS = "cropsvc.web.app, cropsvc.run.worker, cropsvc.run.health, cropsvc.queues.rq.worker"


def switch(service: Service, queue: str) -> None:
    """Starts the front end again, on another queue and without a worker."""
    service.stack.kill(service.stack.web)
    service.stack.set(queue=queue)
    service.stack.start_web()


def test_jobs_that_wait_are_done_by_the_other_engine_and_back(make_service: MakeService) -> None:
    service = make_service(worker=False, queue="rq")
    first = [service.submit() for _ in range(3)]
    switch(service, "celery")
    second = [service.submit() for _ in range(3)]
    service.stack.start_worker()
    assert [service.ended(job)["state"] for job in first + second] == ["done"] * 6
    service.stack.kill(service.stack.worker)
    third = [service.submit() for _ in range(3)]
    switch(service, "rq")
    fourth = service.submit()
    service.stack.start_worker()
    assert [service.ended(job)["state"] for job in [*third, fourth]] == ["done"] * 4
    for job in first + second:
        assert service.job(job)["state"] == "done"


def test_with_rq_nothing_of_celery_is_loaded() -> None:
    code = (
        f"import sys, {OURS}\n"
        "from cropsvc.settings.settings import Settings\n"
        "from cropsvc.web.app import create_app\n"
        "create_app(Settings(redis_url='redis://127.0.0.1:1/0'))\n"
        "theirs = ('celery', 'kombu', 'amqp', 'billiard', 'vine', 'msgpack')\n"
        "print([name for name in sys.modules if name.partition('.')[0] in theirs])"
    )
    assert _run(code).stdout.strip() == "[]"


@pytest.mark.parametrize("missing", ["celery", "msgpack"])
def test_a_missing_package_stops_the_start_with_one_line(missing: str) -> None:
    code = (
        f"import sys, runpy; sys.modules[{missing!r}] = None\n"
        "sys.argv = ['worker.py']; runpy.run_path('worker.py', run_name='__main__')"
    )
    done = _run(code, CROPSVC_QUEUE="celery", CROPSVC_BROKER_URL="amqp://a", check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "CROPSVC_QUEUE" in done.stderr
    assert "requirements/celery.txt" in done.stderr


def _run(code: str, *, check: bool = True, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environ},
        capture_output=True,
        text=True,
        check=check,
    )
