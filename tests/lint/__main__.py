"""What no linter of a package checks: Lua and shell syntax, and words that are hard to read.

`python -m tests.lint` prints every violation and exits with 1. A tool that is missing is named;
with CI=true that is a failure.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.lint.language import violations

ROOT = Path(__file__).resolve().parents[2]
LUA = ("luac5.1", "luac")


def main() -> int:
    """Print what is wrong; return 1 if anything is."""
    found = [*_lua(), *_shell(), *violations(ROOT)]
    print("\n".join(found) or "lint: Lua, shell and language are clean")  # noqa: T201 - its output
    return 1 if found else 0


def _lua() -> Iterator[str]:
    scripts = sorted((ROOT / "cropsvc").rglob("*.lua"))
    tool = next((name for name in LUA if shutil.which(name)), None)
    if not scripts:
        return
    if tool is None:
        yield from _missing("luac5.1 (Debian's package lua5.1)")
        return
    for script in scripts:
        yield from _failed([tool, "-p", str(script)])


def _shell() -> Iterator[str]:
    scripts = [
        path
        for folder in ("compose", "deploy/kubernetes")
        for path in sorted((ROOT / folder).iterdir())
        if path.is_file() and path.read_text(encoding="utf-8").startswith("#!/bin/sh")
    ]
    for script in scripts:
        yield from _failed(["sh", "-n", str(script)])


def _failed(command: list[str]) -> Iterator[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        yield (done.stdout + done.stderr).strip()


def _missing(tool: str) -> Iterator[str]:
    if os.environ.get("CI") == "true":
        yield f"missing: {tool}"
    else:
        print(f"skipped, for it is not installed: {tool}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
