import secrets
import stat
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.compose.checks import all_secrets, check_no_secret_shows, check_patience, check_rights
from tests.compose.project import OURS, SERVICES, Project, docker
from tests.pictures import jpeg


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_has_no_more_rights_than_it_needs(project: Project, service: str) -> None:
    check_rights(project, service)


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_has_time_to_end_a_crop_and_a_health_check(
    project: Project, service: str
) -> None:
    check_patience(project, service)


@pytest.mark.parametrize("service", OURS)
def test_the_root_file_system_cannot_be_written(project: Project, service: str) -> None:
    assert "Read-only file system" in project.shell(service, "touch /srv/x 2>&1 || true")


def test_the_worker_reaches_nothing_but_its_own_network(project: Project) -> None:
    host = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    outside = [("1.1.1.1", 53), ("169.254.169.254", 80), (host, 22)]
    script = (
        "import socket\n"
        f"for place in {outside!r}:\n"
        "    try: print(socket.create_connection(place, 2))\n"
        "    except ConnectionRefusedError: print('refused: something is there')\n"
        "    except OSError: print('unreachable')\n"
    )

    assert project.python("worker", script).splitlines() == ["unreachable"] * len(outside)
    assert project.python("web", script).splitlines() != ["unreachable"] * len(outside)


@pytest.mark.parametrize("service", ["worker", "redis"])
def test_the_inner_containers_have_no_default_route(project: Project, service: str) -> None:
    if int(docker("version", "--format", "{{.Server.Version}}").partition(".")[0]) < 25:
        return  # gives internal networks a route that leads nowhere (moby/moby#46603)
    routes = project.shell(service, "cat /proc/net/route").splitlines()[1:]

    assert "00000000" not in [route.split()[1] for route in routes]


def test_only_the_page_is_published_and_the_dashboard_on_loopback(project: Project) -> None:
    ports = {
        service: [
            binding["HostIp"]
            for bindings in project.inspect(service)["NetworkSettings"]["Ports"].values()
            for binding in bindings or ()
        ]
        for service in SERVICES
    }

    assert set(ports["web"]) <= {"0.0.0.0", "::"}
    assert ports["web"]
    assert ports["dashboard"] == ["127.0.0.1"]
    assert ports["worker"] == ports["redis"] == []


@pytest.mark.parametrize("service", SERVICES)
def test_no_secret_shows_in_a_container(project: Project, service: str) -> None:
    check_no_secret_shows(project, service)


def test_no_secret_is_in_the_images_layers(project: Project) -> None:
    hidden = all_secrets(project)
    assert len(hidden) >= 8
    found = set()
    with subprocess.Popen(["docker", "save", f"{project.name}:rq"], stdout=subprocess.PIPE) as save:
        tail = b""
        while piece := save.stdout.read(1 << 20):
            found |= {name for name, text in hidden.items() if text in tail + piece}
            tail = piece[-100:]

    assert save.returncode == 0
    assert found == set()


def test_the_image_holds_no_compiler_and_nothing_but_the_service(project: Project) -> None:
    tools = "for t in cc gcc g++ c++ clang make ld; do command -v $t; done; true"

    assert project.shell("web", tools) == ""
    assert set(project.shell("web", "ls -A /srv").split()) <= {
        "__pycache__",
        "cropsvc",
        "gunicorn.conf.py",
        "worker.py",
        "wsgi.py",
    }


def test_the_secrets_are_closed_to_other_users_of_the_host(project: Project) -> None:
    directory = project.tree / "secrets"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}

    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert modes == {0o444}
    assert "secrets/" in (project.tree / ".gitignore").read_text().split()


@pytest.mark.parametrize("command", [[], ["python", "worker.py"]])
def test_without_a_usable_store_the_start_fails_with_a_message(
    project: Project, command: list[str]
) -> None:
    said = docker("run", "--rm", f"{project.name}:rq", *command, check=False)

    assert "CROPSVC_REDIS_URL" in said
    assert "Traceback" not in said


def test_without_the_secrets_nothing_runs_on_a_default(project: Project, tmp_path: Path) -> None:
    missing = tmp_path / "redis_url"
    said = docker(
        "run",
        "--rm",
        "--env",
        f"CROPSVC_REDIS_URL_FILE={missing}",
        f"{project.name}:rq",
        "python",
        "worker.py",
        check=False,
    )

    assert f"cropsvc: CROPSVC_REDIS_URL_FILE='{missing}': No such file or directory" in said


def test_each_user_of_valkey_may_do_its_own_work_only(project: Project) -> None:
    refusals = {
        "web may not command workers": project.valkey("publish", "rq:pubsub:x", "y", user="web"),
        "web may not list keys": project.valkey("keys", "*", user="web"),
        "web may not scan keys": project.valkey("scan", "0", user="web"),
        "web may not flush": project.valkey("flushall", user="web"),
        "web may not configure": project.valkey("config", "get", "*", user="web"),
        "the worker may not read the secret": project.valkey(
            "get", "cropsvc:secret", user="worker"
        ),
        "the worker may not flush": project.valkey("flushdb", user="worker"),
        "a key of nobody's": project.valkey("set", "elsewhere", "1", user="worker"),
    }
    cli = ("exec", project.container("redis"), "valkey-cli")
    nameless = docker(*cli, "ping")
    health = docker(*cli, "--no-auth-warning", "--user", "health", "--pass", "-", "get", "x")
    project.valkey("acl", "log", "reset")

    assert {what for what, said in refusals.items() if not said.startswith("NOPERM")} == set()
    assert nameless.startswith("NOAUTH")
    assert health.startswith("NOPERM")


def test_the_users_rights_are_enough_for_all_that_the_service_does(project: Project) -> None:
    project.valkey("acl", "log", "reset")
    with httpx.Client(base_url=project.url, timeout=30) as client:
        use_everything(client)
    browse_dashboard(project)

    assert project.valkey("acl", "log") == ""


def use_everything(client: httpx.Client) -> None:
    """Submits, repeats, reads, crops again, cancels, deletes, scrapes."""
    kind = {"Content-Type": "image/jpeg", "Idempotency-Key": secrets.token_hex(8)}
    picture = jpeg(seed=secrets.randbelow(10**6))
    first = client.post("/v1/crops?box=0,0,50,50&wait=20", content=picture, headers=kind)
    links = first.json()["links"]
    again = client.post("/v1/crops?box=0,0,50,50&wait=20", content=picture, headers=kind)
    cached = client.post(
        "/v1/crops?box=0,0,50,50&wait=20",
        content=picture,
        headers={"Content-Type": "image/jpeg"},
    )
    other = client.post(f"/v1/crops?source={first.json()['id']}&box=1,1,60,60&wait=20")
    short = client.post(f"/v1/crops?source={first.json()['id']}&size=3000x3000&format=avif")
    stopped = client.delete(short.headers["Location"])
    reads = [links["image"], links["source"], links["events"], "/readyz"]
    statuses = [client.get(url).status_code for url in reads]
    gone = [client.delete(answer.headers["Location"]).status_code for answer in (other, cached)]

    assert again.json()["id"] == first.json()["id"]
    assert cached.json()["cached"] is True
    assert other.json()["state"] == "done"
    assert stopped.status_code == 204
    assert statuses == [200] * len(reads)
    assert gone == [204, 204]


def browse_dashboard(project: Project) -> None:
    """Looks at every view of the dashboard, cancels one job and deletes another."""
    picture = jpeg(seed=secrets.randbelow(10**6))
    kind = {"Content-Type": "image/jpeg"}
    submits = [
        httpx.post(f"{project.url}/v1/crops?{asked}", content=picture, headers=kind, timeout=30)
        for asked in ("wait=20", "size=4000x4000&format=avif&quality=100")
    ]
    done, slow = (answer.json()["id"] for answer in submits)
    login = ("admin", project.secret("dashboard_password"))
    with httpx.Client(
        base_url=f"http://localhost:{project.dashboard_port}", auth=login, follow_redirects=True
    ) as client:
        for view in (
            "/",
            "/0/view/queues",
            "/0/view/jobs",
            "/0/view/workers",
            f"/0/view/job/{done}",
        ):
            assert client.get(view).status_code == 200, view
        for data in ("queues", "workers", f"job/{done}", "jobs/cropsvc/finished/10/asc/1"):
            assert client.get(f"/0/data/{data}.json").status_code == 200, data
        assert client.post(f"/job/{slow}/cancel").status_code == 200
        assert client.post(f"/job/{done}/delete").status_code == 200
