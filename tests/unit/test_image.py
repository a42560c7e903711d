"""`make image` asks Docker for tags, labels, platforms and attestations."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from cropsvc import __version__
from tests.stack import ROOT

DOCKER = """#!/bin/sh
if [ "$1 $2" = "buildx version" ]; then exit {buildx}; fi
printf '%s\\n' "$*" >>"{log}"
"""


@pytest.fixture
def make_image(tmp_path: Path) -> object:
    """`make_image(buildx, NAME=value)`: the commands that reach Docker."""

    def run(buildx: bool, **variables: str) -> list[str]:
        log, docker = tmp_path / "log", tmp_path / "docker"
        docker.write_text(DOCKER.format(buildx=0 if buildx else 1, log=log))
        docker.chmod(0o755)
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        subprocess.run(
            ["make", "--no-print-directory", "image", *(f"{k}={v}" for k, v in variables.items())],
            cwd=ROOT,
            env={**kept, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            check=True,
        )
        return log.read_text().splitlines()

    return run


def labels(command: str) -> dict[str, str]:
    return dict(re.findall(r"--label org\.opencontainers\.image\.([\w.]+)=(\S+)", command))


def test_the_image_has_its_version_as_tags_and_its_origin_as_labels(make_image) -> None:
    [build] = make_image(False, IMAGE="registry.example/crops", SOURCE="https://git.example/c")
    assert build.startswith("build ")
    tags = re.findall(r"--tag (\S+)", build)
    short = __version__.rpartition(".")[0]
    assert tags == [f"registry.example/crops:{__version__}", f"registry.example/crops:{short}"]
    said = labels(build)
    assert said["version"] == __version__
    assert said["source"] == "https://git.example/c"
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown(-dirty)?", said["revision"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said["created"])
    assert said["base.name"] == "docker.io/library/python:3.13-slim"


def test_with_buildkit_a_push_has_platforms_sbom_and_provenance(make_image) -> None:
    [build] = make_image(True, PUSH="1", PLATFORMS="linux/arm64")
    assert build.startswith("buildx build ")
    assert build.endswith("--platform linux/arm64 --sbom=true --provenance=mode=max --push .")
    [local] = make_image(True)[1:]
    assert local.endswith(" --load .")
    assert "--platform" not in local


def test_without_buildkit_each_tag_is_pushed(make_image) -> None:
    build, *pushes = make_image(False, PUSH="1", REQUIREMENTS="requirements/celery.txt")
    assert "--build-arg REQUIREMENTS=requirements/celery.txt" in build
    short = __version__.rpartition(".")[0]
    assert pushes == [f"push cropsvc:{tag}-celery" for tag in (__version__, short)]


def test_without_buildkit_no_other_platform_is_promised(make_image) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        make_image(False, PLATFORMS="linux/arm64")
