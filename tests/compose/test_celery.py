"""The profile celery: the same service through RabbitMQ, and the way there and back."""

import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.compose.checks import check_no_secret_shows, check_patience, check_rights
from tests.compose.load import load
from tests.compose.photo import PHOTO, crop
from tests.compose.project import Project, docker
from tests.stack import until

ENGINE = ("celery-worker", "rabbitmq")
LONGEST = 30 + 30  # seconds: a job's limit, and what a restart may cost


@pytest.fixture(scope="module", autouse=True)
def through_rabbitmq(project: Project) -> Iterator[None]:
    """From nothing to the page in one command; the other tests find RQ again."""
    project.make("destroy", answer="yes\n")
    project.up("celery")
    yield
    project.up()


def ctl(project: Project, command: str) -> list[list[str]]:
    """The rows of what rabbitmqctl lists, each as its columns."""
    listed = project.shell("rabbitmq", f"rabbitmqctl -q {command} --no-table-headers")
    return [line.split("\t") for line in listed.splitlines()]


def messages(project: Project) -> dict[str, int]:
    """How many messages each of RabbitMQ's queues holds."""
    return {name: int(count) for name, count in ctl(project, "list_queues name messages")}


def not_done(states: dict[str, str]) -> dict[str, str]:
    return {job_id: state for job_id, state in states.items() if state != "done"}


def test_from_nothing_to_a_cropped_photo_through_rabbitmq(project: Project) -> None:
    answer = crop(project)

    assert answer.status_code == 200, answer.text
    assert Image.open(io.BytesIO(answer.content)).size == (300, 300)
    assert set(messages(project)) == {"cropsvc", "cropsvc.dead"}
    assert project.containers("worker") == []


@pytest.mark.parametrize("service", ENGINE)
def test_a_container_of_the_engine_has_no_more_rights_than_it_needs(
    project: Project, service: str
) -> None:
    check_rights(project, service)
    check_patience(project, service)
    check_no_secret_shows(project, service)


FOREIGN = """
import sys
from celery import Celery
broker, backend = (open(f"/urls/program_{name}_url").read() for name in ("broker", "redis"))
app = Celery(broker=broker, backend=backend)
app.conf.update(
    accept_content=["json", "msgpack"],
    result_serializer="msgpack",
    task_default_queue="cropsvc",
    task_default_queue_type="quorum",
)
asked = {"box": "4,100,1500,1200", "size": "300x300"}
sent = app.send_task("cropsvc.crop", [sys.stdin.buffer.read(), asked], serializer="msgpack")
sys.stdout.buffer.write(sent.get(timeout=30))
"""


def test_a_foreign_celery_program_uses_the_worker_with_rights_of_its_own(project: Project) -> None:
    urls = [f"{project.tree}/secrets/program_{name}_url" for name in ("broker", "redis")]
    mounts = [f"--volume={url}:/urls/{Path(url).name}:ro" for url in urls]
    where = ["--network", f"{project.name}_back", *mounts, f"{project.name}:celery"]
    program = ["docker", "run", "--rm", "--interactive", *where, "python", "-c", FOREIGN]
    ended = subprocess.run(program, input=PHOTO.read_bytes(), capture_output=True)

    assert ended.returncode == 0, ended.stderr.decode()
    assert Image.open(io.BytesIO(ended.stdout)).size == (300, 300)


def test_the_broker_is_reached_from_within_only_and_by_its_own_port_only(project: Project) -> None:
    published = project.inspect("rabbitmq")["NetworkSettings"]["Ports"]
    script = (
        "import socket\n"
        "for port in (5672, 15672, 25672, 4369):\n"
        "    with socket.socket() as s:\n"
        "        s.settimeout(2)\n"
        "        print(port, s.connect_ex(('rabbitmq', port)) == 0)\n"
    )
    reached = dict(line.split() for line in project.python("celery-worker", script).splitlines())

    assert [binding for binding in published.values() if binding] == []
    assert reached == {"5672": "True", "15672": "False", "25672": "False", "4369": "False"}


def test_each_user_of_rabbitmq_may_do_its_own_work_only(project: Project) -> None:
    script = (
        "from kombu import Connection\n"
        "url = open('/run/secrets/broker_url').read()\n"
        "channel = Connection(url).channel()\n"
        "try: channel.queue_delete('cropsvc.dead')\n"
        "except Exception as error: print(error)\n"
    )

    assert sorted(ctl(project, "list_users")) == [
        [name, "[]"] for name in ("program", "web", "worker")
    ]
    assert "ACCESS_REFUSED" in project.python("web", script)


def test_the_policy_bounds_deliveries_and_keeps_what_exceeds_them(project: Project) -> None:
    queues = {name: rest for name, *rest in ctl(project, "list_queues name type policy")}
    [definition] = [row[4] for row in ctl(project, "list_policies") if row[1] == "cropsvc"]

    assert queues["cropsvc"] == ["quorum", "cropsvc"]
    assert queues["cropsvc.dead"] == ["quorum", "cropsvc-dead"]
    assert json.loads(definition)["delivery-limit"] == 10
    assert json.loads(definition)["dead-letter-routing-key"] == "cropsvc.dead"


@pytest.mark.parametrize("service", ENGINE)
def test_no_acknowledged_job_is_lost_when_a_part_of_the_engine_is_killed(
    project: Project, service: str
) -> None:
    with load(project.url, 200) as running:
        running.until(0.4)
        container = project.container(service)
        docker("kill", "--signal", "KILL", container)
        docker("start", container)
    states = running.settle(LONGEST)

    assert len(set(running.acknowledged)) == 200
    assert not_done(states) == {}


def test_scale_means_the_workers_of_the_engine_that_runs(project: Project) -> None:
    assert project.make("scale", "N=2").returncode == 0
    two = len(project.containers("celery-worker")), len(project.containers("worker"))
    project.make("scale", "N=1")

    assert two == (2, 0)
    assert len(project.containers("celery-worker")) == 1


def test_the_other_engine_takes_over_what_waits(project: Project) -> None:
    there = switch(project, "rq")
    left = {service: project.containers(service) for service in ENGINE}
    back = switch(project, "celery")

    assert not_done(there) == {}
    assert left == {"celery-worker": [], "rabbitmq": []}
    assert not_done(back) == {}
    assert project.containers("worker") == []
    until(lambda: messages(project)["cropsvc"] == 0, seconds=30, what="old messages are dropped")


def switch(project: Project, queue: str) -> dict[str, str]:
    """The ends of jobs that waited with the one engine when the other was started."""
    project.make("scale", "N=0")
    with load(project.url, 20) as waiting:
        pass
    with load(project.url, 20) as meanwhile:
        project.up(queue)
    assert set(waiting.acknowledged).isdisjoint(meanwhile.acknowledged)
    return {**waiting.settle(LONGEST), **meanwhile.settle(LONGEST)}


def test_down_keeps_the_jobs(project: Project) -> None:
    project.make("scale", "N=0")
    with load(project.url, 5) as running:
        pass
    assert project.make("down").returncode == 0
    left = [project.containers(service) for service in ("web", *ENGINE)]
    project.up("celery")

    assert left == [[], [], []]
    assert not_done(running.settle(LONGEST)) == {}
