"""The shipped alerts: by promtool on made-up figures, by a real Prometheus on a real stack's."""

import os
import re
import signal
import subprocess

import pytest

from tests import pictures
from tests.contract.client import Client
from tests.monitoring.prometheus import ALERTS, SHIPPED, Prometheus, scraping
from tests.stack import ROOT, Stack, until
from tests.web.test_metrics import crop_process

CAP = 2
NAMES = re.findall(r"- alert: (\w+)", ALERTS.read_text())


def promtool(require, *arguments: str) -> str:
    command = [require("promtool"), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_configuration_and_its_rules_are_sound(require) -> None:
    told = promtool(require, "check", "config", str(SHIPPED / "prometheus.yml"))
    assert f"{len(NAMES)} rules found" in told


def test_each_alert_fires_on_what_it_is_for_and_on_nothing_else(require) -> None:
    tests = ROOT / "tests" / "monitoring" / "alerts.test.yml"
    promtool(require, "test", "rules", str(tests))
    for name in NAMES:
        asked = re.findall(rf"alertname: {name}\b(?!, exp_alerts: \[\])", tests.read_text())
        assert asked, f"{name} is never seen firing"
        assert f"alertname: {name}, exp_alerts: []" in tests.read_text()


def test_each_alert_is_explained_to_the_one_on_call() -> None:
    headings = re.findall(r"^### (Cropsvc\w+)$", (ROOT / "docs/howto/monitor.md").read_text(), re.M)
    assert headings == NAMES
    assert re.findall(r"runbook: docs/howto/monitor.md#(\w+)", ALERTS.read_text()) == [
        name.lower() for name in NAMES
    ]


@pytest.fixture(scope="module", name="stack")
def _stack(make_module_stack) -> Stack:
    return make_module_stack(workers=1, queue_cap=CAP)


@pytest.fixture(scope="module", name="prometheus")
def _prometheus(stack: Stack, require, tmp_path_factory):
    directory = tmp_path_factory.mktemp("prometheus")
    with scraping(stack.port, require("prometheus"), directory) as client:
        client.await_scrapes(3)
        yield client


def test_nothing_fires_while_all_is_well(prometheus: Prometheus) -> None:
    rules = prometheus.rules()
    assert [rule["name"] for rule in rules] == NAMES
    assert {rule["health"] for rule in rules} == {"ok"}
    assert prometheus.firing() == set()


def test_alerts_fire_for_no_worker_a_stuck_queue_and_refusals(
    prometheus: Prometheus, stack: Stack
) -> None:
    stack.kill(stack.worker, signal.SIGTERM)
    prometheus.await_firing("CropsvcNoWorker")
    with Client(stack.url) as api:
        answers = [api.submit(pictures.unlike(n)) for n in range(CAP + 14)]
    assert [answer.status_code for answer in answers] == [202] * CAP + [429] * 14
    prometheus.await_firing("CropsvcRefusing")
    assert "CropsvcQueueStuck" not in prometheus.firing()
    _let_pass(stack, minutes=2)
    prometheus.await_firing("CropsvcQueueStuck")
    stack.start_worker()
    until(
        lambda: not prometheus.firing() & {"CropsvcNoWorker", "CropsvcQueueStuck"},
        seconds=20,
        what="they fire no longer once a worker is back",
    )
    with Client(stack.url) as api:  # the next test stops a crop process that must be idle
        assert [api.ended(one.json())["state"] for one in answers[:CAP]] == ["done"] * CAP


def _let_pass(stack: Stack, minutes: int) -> None:
    """Makes the store believe that its waiting jobs have waited for so long."""
    with stack.redis() as redis:
        for member, score in redis.zrange("cropsvc:pending", 0, -1, withscores=True):
            redis.zadd("cropsvc:pending", {member: score - minutes * 60_000})


def test_an_alert_fires_for_dying_crop_processes(prometheus: Prometheus, stack: Stack) -> None:
    with Client(stack.url) as api:
        for n in range(3):
            pid = crop_process(stack)
            os.kill(pid, signal.SIGSTOP)
            job = api.accepted(pictures.unlike(100 + n))
            _until_taken(stack, job["id"])
            os.kill(pid, signal.SIGKILL)
            assert api.ended(job)["state"] == "done"
    prometheus.await_firing("CropsvcCropProcessDeaths")


def _until_taken(stack: Stack, job_id: str) -> None:
    with stack.redis() as redis:
        status = f"rq:job:{job_id}"
        until(lambda: redis.hget(status, "status") == b"started", seconds=10, what="it is taken")


def test_an_alert_fires_for_an_unreachable_redis(prometheus: Prometheus, stack: Stack) -> None:
    stack.kill(stack.valkey)
    prometheus.await_firing("CropsvcRedisGone")
    assert "CropsvcDown" not in prometheus.firing()


def test_an_alert_fires_for_a_front_end_that_is_down(prometheus: Prometheus, stack: Stack) -> None:
    stack.kill(stack.web)
    prometheus.await_firing("CropsvcDown")
