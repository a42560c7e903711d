"""thumbor from PyPI, in a virtual environment of its own."""

import hashlib
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from bench.images import Case
from bench.places import IMAGES, PEERS, THUMBOR
from bench.results import BenchError
from bench.service import Stage, answers
from cropsvc.run import ports

REQUIREMENTS = PEERS / "requirements-thumbor.txt"
PYTHON = THUMBOR / "bin" / "python"


def install() -> None:
    """Makes the environment, unless the pinned versions are in it already."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    mark = THUMBOR / "installed"
    if mark.exists() and mark.read_text() == wanted:
        return
    print("Installing thumbor into its own environment ...", file=sys.stderr)
    base = os.environ.get("BENCH_THUMBOR_PYTHON", sys.executable)
    _run(base, "-m", "venv", "--clear", str(THUMBOR))
    pip = (str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run(*pip, "--require-hashes", "-r", str(REQUIREMENTS))
    mark.write_text(wanted)


def versions() -> str:
    """What is installed there."""
    command = "import sys; from importlib.metadata import version as v; print('thumbor', v('thumbor'), 'with Pillow', v('pillow'), 'and tornado', v('tornado'), 'on Python', sys.version.split()[0])"  # noqa: E501 - one program
    done = subprocess.run([PYTHON, "-c", command], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def start(stage: Stage, processes: int) -> list[tuple[str, int]]:
    """So many processes, each on a port of its own; gives their addresses.

    `--processes` would share one socket, and keep-alive clients then pile up on one process.
    """
    install()
    addresses = []
    for number in range(processes):
        port = ports.free()
        child = stage.start(
            "thumbor",
            *(str(PYTHON), "-m", "thumbor.server", "-i", "127.0.0.1", "-p", str(port)),
            *("-c", str(PEERS / "thumbor.conf")),
            BENCH_IMAGES=str(IMAGES),
        )
        child.await_(partial(answers, port, "/healthcheck"), f"thumbor {number} answers")
        addresses.append(("127.0.0.1", port))
    return addresses


def path(case: Case) -> str:
    """The crop in thumbor's words."""
    left, top, width, height = case.region
    region = f"{left}x{top}:{left + width}x{top + height}"
    filters = f"filters:format({case.output}):quality({case.quality})/"
    size = "{}x{}/".format(*case.sides)
    return f"/unsafe/{region}/{size}{'' if case.output == 'auto' else filters}{case.path.name}"


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=Path.cwd(), capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"{' '.join(command)}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
