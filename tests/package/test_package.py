"""The package: equal bytes from equal sources, and a client that installs nothing of the server."""

import email
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from cropsvc import __version__
from tests import pictures
from tests.stack import ROOT, Stack
from tests.tools import UV, checkout, python_tools, run

WHEEL = f"cropsvc-{__version__}-py3-none-any.whl"
SOURCES = f"cropsvc-{__version__}.tar.gz"
EPOCH = {"SOURCE_DATE_EPOCH": "1767225600"}
USE = """
import pathlib, sys
from cropsvc.client import Client, verify_webhook
with Client(sys.argv[1]) as client:
    crop = client.crop(pathlib.Path("in.jpg"), box=(0, 0, 20, 10), format="png")
pathlib.Path("out.png").write_bytes(crop.data)
print(*{"flask", "rq", "gevent", "redis"} & {name.partition(".")[0] for name in sys.modules})
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make package` builds and twine finds right."""
    python_tools()
    folder = tmp_path_factory.mktemp("dist")
    said = run("make", "--no-print-directory", "package", f"DIST={folder}", cwd=ROOT, **EPOCH)
    assert said.count("PASSED") == 2, said
    return folder


def new_environment(folder: Path) -> Path:
    """The Python of an empty environment."""
    run(UV, "venv", "--quiet", folder, cwd=ROOT)
    return folder / "bin" / "python"


def test_another_checkout_builds_the_same_bytes(built: Path, tmp_path: Path) -> None:
    source = checkout(tmp_path / "clone")
    for path in source.rglob("*.py"):
        path.chmod(0o600)  # as another umask would leave it
    run(
        UV, "build", "--quiet", "--no-build-isolation", "--no-config",
        "--python", python_tools() / "python", "--out-dir", tmp_path, cwd=source, **EPOCH,
    )  # fmt: skip
    for name in (WHEEL, SOURCES):
        assert (tmp_path / name).read_bytes() == (built / name).read_bytes(), name


def test_the_wheel_holds_the_package_whole_and_nothing_else(built: Path) -> None:
    tracked = set(run("git", "ls-files", "cropsvc", cwd=ROOT).splitlines())
    with zipfile.ZipFile(built / WHEEL) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
        [metadata] = [name for name in wheel.namelist() if name.endswith("/METADATA")]
        facts = email.message_from_bytes(wheel.read(metadata))
    assert held == tracked
    needs = facts.get_all("Requires-Dist") or []
    assert [need for need in needs if "extra ==" not in need] == ["urllib3>=2.5"]
    assert {"client", "server"} <= set(facts.get_all("Provides-Extra") or [])


def test_the_sources_hold_what_a_server_is_started_with(built: Path) -> None:
    with tarfile.open(built / SOURCES) as sources:
        names = {name.partition("/")[2] for name in sources.getnames()}
    expected = {"Makefile", "wsgi.py", "worker.py", "gunicorn.conf.py", "requirements.txt"}
    assert expected <= names


@pytest.mark.parametrize("name", [WHEEL, SOURCES])
def test_an_environment_with_the_client_alone_crops(
    built: Path, stack: Stack, tmp_path: Path, name: str
) -> None:
    python = new_environment(tmp_path / "venv")
    install = (UV, "pip", "install", "--quiet", "--python", python)
    run(*install, "--require-hashes", "-r", "requirements/client.txt", cwd=ROOT)
    constraints = ("--build-constraints", "requirements/clients.txt")
    run(*install, "--no-deps", *constraints, built / name, cwd=ROOT)
    (tmp_path / "in.jpg").write_bytes(pictures.jpeg(40, 30))

    assert run(python, "-c", USE, stack.url, cwd=tmp_path).strip() == ""

    assert pictures.decode((tmp_path / "out.png").read_bytes()).shape[:2] == (10, 20)
    listed = run(UV, "pip", "freeze", "--python", python, cwd=tmp_path).split("\n")
    assert sorted(one.partition("==")[0].partition(" @")[0] for one in listed if one) == [
        "cropsvc", "urllib3",
    ]  # fmt: skip
    command = subprocess.run(
        [python, "-m", "cropsvc"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert command.returncode == 1
    assert (
        command.stderr
        == "The command line needs click; install this package with the extra `server`\n"
    )
