"""What every container of the service must hold to, whichever engine it belongs to."""

from tests.compose.project import Project, docker


def status(project: Project, service: str) -> dict[str, str]:
    """The first process's /proc/1/status by field."""
    lines = project.shell(service, "cat /proc/1/status").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def check_rights(project: Project, service: str) -> None:
    """No user root, no capability, a read-only root, limits."""
    fields = status(project, service)
    host = project.inspect(service)["HostConfig"]

    assert set(fields["Uid"].split()) & {"0"} == set()
    assert {fields["CapBnd"], fields["CapEff"], fields["CapPrm"]} == {"0" * 16}
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"
    assert host["ReadonlyRootfs"] is True
    assert host["PidsLimit"] > 0
    assert host["Memory"] > 0
    assert host["Init"] is True
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}


def check_patience(project: Project, service: str) -> None:
    """Time to end a crop, and a health check."""
    inspected = project.inspect(service)

    assert inspected["Config"]["StopTimeout"] > 30 + 5
    assert inspected["Config"]["Healthcheck"]["Test"]


def all_secrets(project: Project) -> dict[str, bytes]:
    """The generated secrets by name, but for digests."""
    files = {p.name: p.read_bytes().strip() for p in (project.tree / "secrets").iterdir()}
    del files["valkey_acl"], files["rabbitmq_users"]  # digests, of what the others hold
    return {name: text for name, text in files.items() if text}


def check_no_secret_shows(project: Project, service: str) -> None:
    """None in an environment, a command line, or what `docker inspect` shows."""
    script = "for p in /proc/[0-9]*; do cat $p/environ $p/cmdline 2>/dev/null; done"
    shown = docker("exec", project.container(service), "sh", "-c", script).encode()
    shown += docker("inspect", project.container(service)).encode()

    assert b"valkey" in shown or b"cropsvc" in shown
    assert [name for name, text in all_secrets(project).items() if text in shown] == []
