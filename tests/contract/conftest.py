"""The contract suite's fixtures: a client of the service under test."""

from collections.abc import Iterator

import pytest

from tests.contract.client import Client


@pytest.fixture(scope="session")
def api(base_url: str) -> Iterator[Client]:
    """A client of the service under test, with its default settings and open to everybody."""
    with Client(base_url) as client:
        yield client
