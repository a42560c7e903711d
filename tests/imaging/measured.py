"""Render a file in a process of its own, as the crop process does, and tell what it took.

`python -m tests.imaging.measured FILE JSON` prints one line of JSON: the outcome of each output
(`done`, or an error's code) and its size, milliseconds, and by how many bytes the peak memory grew
over that of a warm process.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from cropsvc.imaging.params.parser import parse
from cropsvc.imaging.render.render import render
from cropsvc.model.errors import CropError
from cropsvc.model.limits import Limits
from tests import pictures

ROOT = Path(__file__).resolve().parents[2]
ADDRESS_SPACE = 1024**3


def measured(path: Path, **params: object) -> dict[str, object]:
    """What `python -m tests.imaging.measured` tells of this file and these parameters."""
    command = [sys.executable, "-m", "tests.imaging.measured", str(path), json.dumps(params)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))


def peak() -> int:
    """The most memory this process ever had resident, in bytes.

    Not getrusage's ru_maxrss: a child inherits its parent's, and pytest's is large.
    """
    return _kilobytes("VmHWM:") * 1024


def resident() -> int:
    """The memory this process has resident now, in bytes."""
    return _kilobytes("VmRSS:") * 1024


def _kilobytes(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(name)[2].split()[0])


def outcome(data: bytes, params: dict[str, object]) -> dict[str, list[object]]:
    try:
        made = render(data, parse(params.items()), Limits(), lambda stage, at: None)
    except CropError as error:
        return {"outcome": [error.code], "sizes": []}
    return {
        "outcome": [one.error.code if one.error else "done" for one in made],
        "sizes": [(one.width, one.height) for one in made],
    }


def main() -> None:
    data, params = Path(sys.argv[1]).read_bytes(), json.loads(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    outcome(pictures.png(), {})
    before, start = peak(), time.perf_counter()
    told = outcome(data, params)
    took = 1000 * (time.perf_counter() - start)
    print(json.dumps(told | {"ms": took, "grew": peak() - before}))  # noqa: T201 - for the parent process


if __name__ == "__main__":
    main()
