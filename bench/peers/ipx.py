"""ipx (npm, on sharp and libvips), in a directory of its own; where Node exists."""

import hashlib
import shutil
import subprocess
import sys
from functools import partial
from shutil import which

from bench.images import SMALL, Case
from bench.places import IMAGES, IPX, PEERS
from bench.results import BenchError
from bench.service import Stage, answers
from cropsvc.run import ports

PINNED = (PEERS / "ipx" / "package.json", PEERS / "ipx" / "package-lock.json")
PROGRAM = IPX / "node_modules" / "ipx" / "bin" / "ipx.mjs"
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def is_possible() -> bool:
    """Whether Node and npm are on this machine."""
    return bool(which("node") and which("npm"))


def install() -> None:
    """Makes the directory, unless the pinned versions are in it already."""
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in PINNED)).hexdigest()
    mark = IPX / "installed"
    if mark.exists() and mark.read_text() == wanted:
        return
    print("Installing ipx into its own directory ...", file=sys.stderr)
    shutil.rmtree(IPX, ignore_errors=True)
    IPX.mkdir(parents=True)
    for path in PINNED:
        shutil.copy(path, IPX)
    done = subprocess.run(
        [which("npm") or "npm", *INSTALL], cwd=IPX, capture_output=True, text=True
    )
    if done.returncode:
        raise BenchError(f"npm {' '.join(INSTALL)}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    mark.write_text(wanted)


def versions() -> str:
    """What is installed there."""
    if not PROGRAM.exists():
        return "not installed"
    words = "const v = JSON.parse(require('fs').readFileSync('node_modules/ipx/package.json')).version; const s = require('sharp').versions; console.log(`ipx ${v} with sharp ${s.sharp} and libvips ${s.vips} on Node ${process.version}`)"  # noqa: E501 - one program
    done = subprocess.run(["node", "-e", words], cwd=IPX, capture_output=True, text=True)
    return done.stdout.strip() or "of unknown version"


def start(stage: Stage, processes: int) -> list[tuple[str, int]]:
    """So many processes with their defaults, each on a port of its own; gives their addresses."""
    install()
    addresses = []
    for number in range(processes):
        port = ports.free()
        child = stage.start(
            "ipx",
            *(which("node") or "node", str(PROGRAM), "serve", "--dir", str(IMAGES)),
            *("--host", "127.0.0.1", "--port", str(port), "--no-clipboard", "--no-qr"),
            NODE_ENV="production",
        )
        probe = f"/s_8x8/{SMALL.path.name}"
        child.await_(partial(answers, port, probe), f"ipx {number} answers")
        addresses.append(("127.0.0.1", port))
    return addresses


def path(case: Case) -> str:
    """The crop in ipx's words; a quality for PNG would mean a palette."""
    kind = "" if case.output == "auto" else f",f_{case.output}"
    quality = "" if case.path.suffix == ".png" else f",q_{case.quality}"
    region, size = "_".join(map(str, case.region)), "{}x{}".format(*case.sides)
    return f"/extract_{region},s_{size}{quality}{kind}/{case.path.name}"
