"""Which compose the Makefile takes."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("answers", "environment", "arguments", "taken"),
    [
        (True, {}, [], "docker compose ps"),
        (False, {}, [], "docker-compose ps"),
        (True, {"COMPOSE": "podman compose"}, [], "podman compose ps"),
        (True, {"COMPOSE": "podman compose"}, ["COMPOSE=other"], "other ps"),
    ],
)
def test_compose_is_found_or_named(
    tmp_path: Path, answers: bool, environment: dict[str, str], arguments: list[str], taken: str
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\nexit {0 if answers else 1}\n")
    docker.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name != "COMPOSE"}
    done = subprocess.run(
        ["make", "--no-print-directory", "-n", "ps", *arguments],
        cwd=ROOT,
        env=kept | environment | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == taken
