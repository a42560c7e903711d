"""Tools that only some tests need, in environments of their own under build/, made once."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.components import require
from tests.stack import ROOT

UV = ROOT / ".venv" / "bin" / "uv"


def python_tools() -> Path:
    """The folder with the programs of requirements/clients.txt, installed if need be."""
    with _alone("clients"):
        run("make", "--no-print-directory", "build/clients/installed", cwd=ROOT)
    return ROOT / "build" / "clients" / "bin"


def node_tools() -> Path:
    """The folder with the packages of clients/js/package-lock.json, installed if need be."""
    require("npm")
    with _alone("js"):
        run("make", "--no-print-directory", "build/js/installed", cwd=ROOT)
    return ROOT / "build" / "js" / "node_modules"


def run(*command: str | Path, cwd: Path, **environ: str) -> str:
    """What the program prints; a failure shows all that it said."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**os.environ, **environ},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def checkout(folder: Path, *parts: str) -> Path:
    """Copy what git knows of these parts, as a clone would have it, and return the folder."""
    names = run("git", "ls-files", "--cached", "--", *(parts or (".",)), cwd=ROOT).splitlines()
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
        shutil.copymode(ROOT / name, folder / name)
    return folder


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """One process of the run at a time."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
