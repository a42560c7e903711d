"""A worker whose crop process can be held, for the tests of one fault each."""

from collections.abc import Callable, Iterator

import pytest

from tests.contract.client import Client
from tests.stack import Stack
from tests.worker.conftest import Bench


@pytest.fixture
def bench(make_stack: Callable[..., Stack]) -> Iterator[Bench]:
    """One worker process of the test's own, with a job limit of 6 s."""
    stack = make_stack(workers=1, job_timeout=6)
    with Client(stack.url) as api:
        yield Bench(stack, api)
