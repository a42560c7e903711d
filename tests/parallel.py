"""How the suite runs in several processes (pytest-xdist): `make test` without ARGS does.

A file's tests go to one process, for the sake of what its fixtures share; so does a directory
whose tests share something dear (WHOLE). A test marked `alone` waits until no other test runs,
and none begins while it does; its file comes last, for the others stand still meanwhile.
"""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from tests import components

WHOLE = ("tests/compose",)  # one project of containers
LONGEST_FIRST = (
    "tests/celery/test_contract.py",
    "tests/run",
    "tests/compose",
    "tests/chaos",
    "tests/browser",
    "tests/contract",
)


class FailuresAtOnce:
    """Names each failure when it happens: a line of dots from several files does not."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One line for a test that failed."""
        if report.failed:
            reporter = self._config.pluginmanager.getplugin("terminalreporter")
            reporter.line(f"\nFAILED in its {report.when}: {report.nodeid}")


def pytest_configure(config: pytest.Config) -> None:
    """Where the processes report to."""
    if getattr(config.option, "numprocesses", None):
        config.pluginmanager.register(FailuresAtOnce(config))


class ByFile(LoadFileScheduling):
    """Hands out files in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        return next((one for one in WHOLE if nodeid.startswith(f"{one}/")), None) or (
            super()._split_scope(nodeid)
        )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile | None:
    """Ours, unless another is asked for by --dist."""
    config.option.loadscopereorder = False
    return ByFile(config, log) if config.option.dist == "load" else None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Gives each process the directory of the locks."""
    node.workerinput["locks"] = str(_locks(node.config))


def _locks(config: pytest.Config) -> Path:
    if not hasattr(config, "locks_of_the_run"):
        made = tempfile.TemporaryDirectory(prefix="cropsvc-tests-")
        config.add_cleanup(made.cleanup)
        config.locks_of_the_run = Path(made.name)
    return config.locks_of_the_run


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long ones first, so that no process is left with one of them at the end."""
    if hasattr(config, "workerinput"):
        last = {item.path for item in items if item.get_closest_marker("alone")}
        items.sort(key=lambda item: (item.path in last, _rank(item)))


def _rank(item: pytest.Item) -> int:
    places = (
        n for n, one in enumerate(LONGEST_FIRST) if item.nodeid.startswith((f"{one}/", f"{one}::"))
    )
    return next(places, len(LONGEST_FIRST))


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around the test's timeout too
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Lets a test begin when its turn has come."""
    worker = getattr(item.config, "workerinput", None)
    if worker is None:
        return (yield)
    with _turn(Path(worker["locks"]), alone=item.get_closest_marker("alone") is not None):
        return (yield)


@contextmanager
def _turn(locks: Path, *, alone: bool) -> Iterator[None]:
    with ExitStack() as files:
        gate, room = (files.enter_context((locks / name).open("w")) for name in ("gate", "room"))
        fcntl.flock(gate, fcntl.LOCK_EX)  # so that the next ones do not overtake who waits
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Sends home what this process found missing."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["missing"] = dict(components.missing)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: WorkerController) -> None:
    """Adds up what the processes found missing."""
    components.missing.update(getattr(node, "workeroutput", {}).get("missing", {}))
