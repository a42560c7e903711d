"""Which tests run when: quick, the default of `make test`, or all (CI, and `make test ALL=1`).

A tier is a matter of the directory, so that no test says it of itself. `--tier` chooses one;
without it pytest runs whatever it was asked for.
"""

from collections import Counter
from pathlib import Path

import pytest
from xdist.workermanage import WorkerController

ROOT = Path(__file__).resolve().parents[1]
QUICK = (  # pure: no server is started
    "tests/unit",
    "tests/imaging",
    "tests/jobs",
    "tests/cropping",
    "tests/dashboard/test_guard.py",
    "tests/deploy",
)
FULL = {  # what needs more than Python, or minutes: only with --tier all
    "tests/browser": "browser",
    "tests/celery": "Celery",
    "tests/chaos": "chaos",
    "tests/compose": "containers",
    "tests/contract/test_soak.py": "soak",
    "tests/clients": "Node, curl and jq",
    "tests/proxy": "nginx",
    "tests/package": "package",
}
left_out: Counter[str] = Counter()  # in this process: why, and how many tests


def pytest_addoption(parser: pytest.Parser) -> None:
    """The choice of the tier."""
    parser.addoption("--tier", choices=("quick", "default", "all"), default="all")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what the tier does not hold."""
    tier = config.getoption("--tier")
    kept, dropped = [], []
    for item in items:
        reason = _reason(item, tier)
        (dropped if reason else kept).append(item)
        left_out.update([reason] if reason else [])
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def _reason(item: pytest.Item, tier: str) -> str:
    """Why the tier does not hold this test; empty if it does."""
    place = item.path.relative_to(ROOT).as_posix()
    if tier == "all":
        return ""
    full = next((name for start, name in FULL.items() if place.startswith(start)), "")
    if full or tier == "default":
        return full
    return "" if place.startswith(QUICK) else "tests that start a server"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Sends what was left out to the process that reports; all have collected the same."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = dict(left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: WorkerController) -> None:
    """Takes what one of them sent."""
    left_out.update(Counter(getattr(node, "workeroutput", {}).get("left_out", {})) - left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what was left out, and how to run it."""
    if not left_out:
        return
    parts = ", ".join(f"{name} ({count})" for name, count in left_out.most_common())
    terminalreporter.section("left out")
    terminalreporter.line(f"{parts}. `make test ALL=1` runs everything.")
