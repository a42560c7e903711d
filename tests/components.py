"""Programs of the system that some tests need, and what happens when one is missing.

Without one its tests are skipped and the closing lines name it; with CI=true they fail.
"""

import os
import shutil
from collections import Counter

import pytest

EXECUTABLES = {
    "chromium": ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"),
    "docker": ("docker",),
    "docker-compose": ("docker-compose",),
    "firefox": ("firefox-esr", "firefox"),
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "rabbitmq": ("rabbitmq-server", "/usr/lib/rabbitmq/bin/rabbitmq-server"),
}

missing: Counter[str] = Counter()


def require(component: str) -> str:
    """The path of *component*'s executable; skips the test, or fails it with CI=true."""
    names = EXECUTABLES.get(component, (component,))
    path = next(filter(None, map(_which, names)), None)
    if path:
        return path
    missing[component] += 1
    words = f"{component} is not on this machine (looked for {', '.join(names)})"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{words}; with CI=true that is a failure")
    pytest.skip(words)


def _which(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def closing_lines() -> list[str]:
    """One line for each missing component: its name and how many tests it cost."""
    return [f"{name}: {count} test(s) not run" for name, count in sorted(missing.items())]
