"""The service in containers, brought up by `make up` from a fresh copy of the tree."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import components
from tests.compose.project import Project
from tests.stack import ROOT

NOT_OURS = shutil.ignore_patterns(
    ".git", ".venv", "var", "secrets", ".*_cache", ".hypothesis", "__pycache__"
)


@pytest.fixture(scope="session")
def compose() -> str:
    """The compose command, when there is an engine that can run it."""
    components.require("docker")
    if subprocess.run(["docker", "info"], capture_output=True).returncode:
        _missing_engine()
    if shutil.which("docker-compose"):
        return "docker-compose"
    components.require("docker-compose")
    raise AssertionError("unreachable")


def _missing_engine() -> None:
    components.missing["docker engine"] += 1
    words = "no Docker engine answers (`docker info`)"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{words}; with CI=true that is a failure")
    pytest.skip(words)


@pytest.fixture(scope="session")
def project(compose: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The running service, shared by all; at the end nothing of it is left."""
    tree: Path = tmp_path_factory.mktemp("compose") / "a clone"
    shutil.copytree(ROOT, tree, ignore=NOT_OURS)
    started = Project(tree, compose, f"cropsvc-test-{secrets.token_hex(4)}")
    try:
        started.first_words = started.up()
        yield started
    finally:
        started.remove()
