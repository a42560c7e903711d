"""One compose project under test: the make targets, its containers, a client."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.stack import free_port

SERVICES = ("web", "worker", "dashboard", "redis")
OURS = ("web", "worker", "dashboard")
IMAGES = ("rq", "celery")  # their tags


def docker(*arguments: str, check: bool = True, **options: Any) -> str:
    """What a docker command prints, both streams; raises with it on failure."""
    ended = subprocess.run(
        ["docker", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    assert not check or ended.returncode == 0, ended.stdout
    return ended.stdout.strip()


@dataclass
class Project:
    """A copy of the tree, and the compose project that runs from it."""

    tree: Path
    compose: str
    name: str
    port: int = field(default_factory=free_port)
    dashboard_port: int = field(default_factory=free_port)
    first_words: str = ""  # what the first `make up` said

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def make(self, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        """Runs a make target in the copy; *answer* goes to its questions."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CROPSVC_", "MAKE"))}
        settings = {
            "COMPOSE": self.compose,
            "COMPOSE_PROJECT_NAME": self.name,
            "PORT": str(self.port),
            "DASHBOARD_PORT": str(self.dashboard_port),
        }
        return subprocess.run(
            ["make", *arguments, *(f"{name}={value}" for name, value in settings.items())],
            cwd=self.tree,
            env=kept,
            input=answer,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def up(self, queue: str = "rq") -> str:
        """`make up` with that engine, and what it said."""
        ended = self.make("up", f"QUEUE={queue}")
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    def containers(self, service: str) -> list[str]:
        """The ids of a service's running containers, the first one first."""
        label = f"label=com.docker.compose.project={self.name}"
        lines = docker(
            "ps",
            "--filter",
            label,
            "--filter",
            f"label=com.docker.compose.service={service}",
            "--format",
            "{{.Names}} {{.ID}}",
        )
        return [line.split()[1] for line in sorted(lines.splitlines())]

    def container(self, service: str) -> str:
        """The first of a service's containers."""
        return self.containers(service)[0]

    def shell(self, service: str, script: str) -> str:
        """What a shell script prints in a service's first container."""
        return docker("exec", self.container(service), "sh", "-c", script)

    def python(self, service: str, script: str) -> str:
        """What a Python script prints in a service's first container."""
        return docker("exec", self.container(service), "python", "-c", script)

    def valkey(self, *command: str, user: str = "operator") -> str:
        """What Valkey answers to *user*, whose password is in secrets/."""
        password = self.secret("operator_password" if user == "operator" else f"{user}_password")
        return docker(
            "exec",
            "--env",
            f"REDISCLI_AUTH={password}",
            self.container("redis"),
            "valkey-cli",
            "--user",
            user,
            *command,
        )

    def secret(self, name: str) -> str:
        """One of the generated secrets."""
        return (self.tree / "secrets" / name).read_text()

    def inspect(self, service: str) -> dict[str, Any]:
        """What `docker inspect` shows of a service's first container."""
        [shown] = json.loads(docker("inspect", self.container(service)))
        return dict(shown)

    def remove(self) -> None:
        """Removes containers, networks, volumes and the images."""
        self.make("destroy", answer="yes\n")
        for tag in IMAGES:
            docker("image", "rm", "--force", f"{self.name}:{tag}", check=False)
