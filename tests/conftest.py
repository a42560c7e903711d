"""What every test may use: a real stack, a factory for others, and system components.

`make test` runs the files in several processes. A test that must have the machine for itself
(it compares times, say) is marked `@pytest.mark.alone`; see tests/parallel.py.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import components
from tests.idle_stacks import IdleStacks
from tests.stack import Stack, running

pytest_plugins = ("tests.parallel", "tests.tiers")

MakeStack = Callable[..., Stack]


def _factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeStack]:
    with ExitStack() as stacks:

        def make(**settings: object) -> Stack:
            directory: Path = tmp_path_factory.mktemp("stack")
            return stacks.enter_context(running(directory, **settings))  # type: ignore[arg-type]

        yield make


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack with the default settings, shared by the whole run: leave it as you found it."""
    with running(tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture(scope="module")
def make_module_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeStack]:
    """`make_module_stack(worker=True, **settings)`; stopped when the module's tests are over."""
    yield from _factory(tmp_path_factory)


@pytest.fixture
def make_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeStack]:
    """`make_stack(worker=True, **settings)`: a stack of the test's own, to kill parts of."""
    yield from _factory(tmp_path_factory)


@pytest.fixture(scope="session")
def idle_stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdleStacks]:
    """The stacks without a worker that tests lend one another."""
    with ExitStack() as exits:
        yield IdleStacks(lambda: tmp_path_factory.mktemp("idle"), exits)


@pytest.fixture
def idle_stack(idle_stacks: IdleStacks) -> Iterator[Stack]:
    """A stack without a worker and without jobs; its worker and front end may be (re)started."""
    with idle_stacks.lease() as stack:
        yield stack


@pytest.fixture(scope="module")
def idle_module_stack(idle_stacks: IdleStacks) -> Iterator[Stack]:
    """The same for all tests of a module."""
    with idle_stacks.lease() as stack:
        yield stack


@pytest.fixture(scope="session")
def base_url(request: pytest.FixtureRequest) -> str:
    """Where the service under test answers: CROPSVC_TEST_URL, or else the default stack."""
    given = os.environ.get("CROPSVC_TEST_URL")
    if given:
        return given.rstrip("/")
    started: Stack = request.getfixturevalue("stack")
    return started.url


@pytest.fixture(scope="session")
def require() -> Callable[[str], str]:
    """`require("chromium")`: its path, or the test is skipped (with CI=true: fails)."""
    return components.require


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names the missing components where nobody overlooks them."""
    lines = components.closing_lines()
    if not lines:
        return
    terminalreporter.section("missing components of the system")
    for line in lines:
        terminalreporter.line(line)
