"""A stack with one worker, and the dashboard on it behind a password."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.dashboard.desk_client import Dashboard, Desk, beside
from tests.stack import Stack


@pytest.fixture(scope="module")
def desk(
    request: pytest.FixtureRequest,
    make_module_stack: Callable[..., Stack],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Desk]:
    """One for all tests of a module, whose JOB_TIMEOUT (seconds) holds for the jobs."""
    timeout = getattr(request.module, "JOB_TIMEOUT", 120)
    stack = make_module_stack(workers=1, job_timeout=timeout)
    directory = tmp_path_factory.mktemp("dashboard")
    with beside(stack, directory, CROPSVC_JOB_TIMEOUT=str(timeout)) as desk:
        yield desk


@pytest.fixture
def make_dashboard(tmp_path: Path) -> Iterator[Callable[..., Dashboard]]:
    """`make_dashboard(redis_url, NAME=value ...)`, started; stopped after the test."""
    made: list[Dashboard] = []

    def make(redis_url: str, **environ: str) -> Dashboard:
        made.append(Dashboard(tmp_path, redis_url, **environ))
        return made[-1].start()

    yield make
    for dashboard in made:
        dashboard.stop()
