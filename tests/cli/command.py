"""Runs the command line client as its users do: a process, its files, its words."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.stack import ROOT

PATIENCE = 60  # seconds for one run


def start(
    *arguments: object, cwd: Path, environ: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """The client, started in *cwd*."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("CROPSVC_")}
    return subprocess.Popen(
        [sys.executable, "-m", "cropsvc", *map(str, arguments)],
        cwd=cwd,
        env={**inherited, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **(environ or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def run(
    *arguments: object,
    cwd: Path,
    stdin: bytes = b"",
    environ: Mapping[str, str] | None = None,
) -> tuple[int, bytes, str]:
    """Status, standard output, standard error of a run to its end."""
    process = start(*arguments, cwd=cwd, environ=environ)
    out, words = process.communicate(stdin, timeout=PATIENCE)
    return process.returncode, out, words.decode()
