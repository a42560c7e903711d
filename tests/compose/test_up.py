import hashlib
import io
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.compose.load import load
from tests.compose.photo import crop
from tests.compose.project import OURS, Project, docker
from tests.stack import until

JOB_LIMIT = 30  # seconds; the default


def test_from_nothing_to_a_cropped_photo_in_one_command(project: Project) -> None:
    answer = crop(project)

    assert answer.status_code == 200, answer.text
    assert Image.open(io.BytesIO(answer.content)).size == (300, 300)
    assert httpx.get(f"{project.url}/", timeout=60).status_code == 200


def test_up_says_where_the_page_and_the_dashboard_are(project: Project) -> None:
    said = project.first_words

    assert f"cropsvc is ready: http://localhost:{project.port}/" in said
    assert f"http://localhost:{project.dashboard_port}/" in said
    assert project.secret("dashboard_password") not in said


def test_the_dashboard_wants_its_password(project: Project) -> None:
    url = f"http://localhost:{project.dashboard_port}/"
    password = project.secret("dashboard_password")
    allowed = {"auth": ("admin", password), "follow_redirects": True, "timeout": 60}

    assert httpx.get(url, timeout=60).status_code == 401
    assert httpx.get(url, **allowed).status_code == 200


def test_three_workers_share_the_load_and_survive_another_up(project: Project) -> None:
    assert project.make("scale", "N=3").returncode == 0
    hosts = {container[:12] for container in project.containers("worker")}
    until(lambda: set(done_by_host(project)) >= hosts, seconds=30, what="three workers")
    before = done_by_host(project)
    ends = set()

    def each_has_done_ten() -> bool:
        """One more round of jobs: a worker that has just started misses the first ones."""
        with load(project.url, 90) as running:
            pass
        ends.update(running.settle(JOB_LIMIT).values())
        after = done_by_host(project)
        return all(after[host] - before[host] >= 10 for host in hosts)

    until(each_has_done_ten, seconds=30, what="ten jobs done by each worker")
    project.up()

    assert ends == {"done"}
    assert len(hosts) == 3
    assert len(project.containers("worker")) == 3
    project.make("scale", "N=1")
    assert len(project.containers("worker")) == 1


def done_by_host(project: Project) -> dict[str, int]:
    """How many jobs each worker's host has done, from RQ's own books."""
    keys = project.valkey("--scan", "--pattern", "rq:worker:*").splitlines()
    hosts = [project.valkey("hget", key, "hostname") for key in keys]
    counts = [project.valkey("hget", key, "successful_job_count") for key in keys]
    return {host: int(count or 0) for host, count in zip(hosts, counts, strict=True) if host}


@pytest.mark.parametrize("service", ["worker", "redis", "web"])
def test_no_acknowledged_job_is_lost_when_a_part_is_killed(project: Project, service: str) -> None:
    with load(project.url, 200) as running:
        running.until(0.4)
        container = project.container(service)
        docker("kill", "--signal", "KILL", container)
        docker("start", container)
    states = running.settle(JOB_LIMIT + 15)

    assert len(set(running.acknowledged)) == 200
    assert {id: state for id, state in states.items() if state != "done"} == {}


def test_up_again_after_a_change_of_the_code_loses_no_job(project: Project) -> None:
    before = {service: project.container(service) for service in OURS}
    with (project.tree / "cropsvc/__init__.py").open("a") as module:
        module.write("# changed\n")
    with load(project.url, 200) as running:
        running.until(0.2)
        project.up()
    states = running.settle(JOB_LIMIT + 15)

    assert len(set(running.acknowledged)) == 200
    assert {id: state for id, state in states.items() if state != "done"} == {}
    assert all(project.container(service) != before[service] for service in OURS)


def test_up_again_gives_the_front_end_a_changed_secret_and_down_keeps_the_jobs(
    project: Project,
) -> None:
    with load(project.url, 3) as running:
        pass
    running.settle(JOB_LIMIT)
    keys = project.tree / "secrets" / "api_keys"
    keys.chmod(0o644)
    keys.write_text(f"somebody:{hashlib.sha256(b'the key').hexdigest()}\n")
    project.up()
    refused = httpx.post(f"{project.url}/v1/crops", content=b"", timeout=60)
    keys.write_text("")
    keys.chmod(0o444)
    assert refused.status_code == 401

    assert project.make("down").returncode == 0
    assert [project.containers(service) for service in OURS] == [[], [], []]
    project.up()
    assert crop(project).status_code == 200
    assert set(running.states().values()) == {"done"}


def test_destroy_asks_first_and_then_leaves_nothing(project: Project) -> None:
    """The last test of the last file: nothing is started again."""

    def volumes() -> str:
        return docker("volume", "ls", "--quiet", "--filter", f"name={project.name}")

    refused = project.make("destroy", answer="no\n")
    assert refused.returncode != 0
    assert "every job and result, and secrets/" in refused.stdout
    assert project.containers("web")
    assert volumes()

    assert project.make("destroy", answer="yes\n").returncode == 0
    left = [project.containers(service) for service in OURS]
    kept = volumes()
    secrets: Path = project.tree / "secrets"
    had_secrets = secrets.exists()

    assert left == [[], [], []]
    assert kept == ""
    assert not had_secrets
