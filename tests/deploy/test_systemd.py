"""The units of deploy/systemd start programs of ours, with time to end their work."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cropsvc.settings.settings import Settings, rows
from tests.stack import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
PYTHON = "/opt/cropsvc/.venv/bin/python "
GRACEFUL = re.search(
    r"^graceful_timeout = (\d+)", (ROOT / "gunicorn.conf.py").read_text(), re.MULTILINE
)


def values(unit: Path) -> dict[str, str]:
    lines = unit.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def name(unit: Path) -> str:
    return unit.stem


def test_there_is_a_unit_for_each_process() -> None:
    names = {f"cropsvc-{part}" for part in ("web", "worker", "dashboard", "webhooks")}
    assert {unit.stem for unit in UNITS} == names


@pytest.mark.parametrize("unit", UNITS, ids=name)
def test_a_unit_starts_a_program_of_ours_and_is_confined(unit: Path) -> None:
    said = values(unit)
    assert said["ExecStart"].startswith(PYTHON)
    match said["ExecStart"].removeprefix(PYTHON).split():
        case ["worker.py"]:
            assert (ROOT / "worker.py").is_file()
        case ["-m", "gunicorn", "-c", conf, "wsgi:app"]:
            assert (ROOT / conf).is_file()
        case ["-m", module]:
            assert (ROOT / module.replace(".", "/") / "__main__.py").is_file()
        case other:
            pytest.fail(f"not a program of ours: {other}")
    assert said["User"] == "cropsvc"
    assert said["KillMode"] == "mixed"  # a crop process must not get the worker's SIGTERM
    assert said["Restart"] == "always"
    assert (said["NoNewPrivileges"], said["CapabilityBoundingSet"]) == ("true", "")
    assert said["ProtectSystem"] == "strict"


def test_a_unit_waits_for_what_its_process_ends_first() -> None:
    waits = {unit.stem: int(values(unit)["TimeoutStopSec"]) for unit in UNITS}
    assert waits["cropsvc-worker"] == Settings.from_env({}).job_timeout + 15
    assert GRACEFUL
    assert waits["cropsvc-web"] > int(GRACEFUL[1])


def test_the_environment_file_names_settings() -> None:
    text = (ROOT / "deploy" / "systemd" / "env").read_text(encoding="utf-8")
    names = re.findall(r"^(\w+)=", text, re.MULTILINE)
    assert names
    assert {one.removesuffix("_FILE") for one in names} <= {row.variable for row in rows()}


def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    if not tool:
        pytest.skip("systemd-analyze is not on this machine")
    # Links, since a unit does not quote the paths, and the tree's own may contain a space.
    home, python, units = (tmp_path / name for name in ("home", "python", "units"))
    home.symlink_to(ROOT)
    python.symlink_to(sys.executable)
    units.mkdir()
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        text = text.replace(PYTHON, f"{python} ").replace("/opt/cropsvc", str(home))
        (units / unit.name).write_text(text, encoding="utf-8")
    command = [tool, "verify", "--man=no", *map(str, sorted(units.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
