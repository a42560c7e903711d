"""The contract suite's clients: of the front end in this process, or of a server.

CROPSVC_TEST_URL aims every test at that server. Without it most modules run in this process,
which takes milliseconds a test. Those in ON_A_SERVER need a real stack.
"""

import os
from collections.abc import Iterator

import flask
import pytest

from tests.contract.client import Client
from tests.in_process import Transport, in_process

ON_A_SERVER = {
    "test_cancel",  # kills running crops
    "test_events",  # events come while the crop runs
    "test_images",  # ranges, HEAD and 304 as gunicorn sends them
    "test_live",
    "test_operations",  # /readyz looks for workers
    "test_schema",  # malformed requests, which gunicorn parses first
}
BLOBS = "CROPSVC_TEST_BLOBS"  # the suite with CROPSVC_BLOBS set to this, here and in stacks
OTHERS_DECIDE = ("CROPSVC_TEST_URL", "CROPSVC_TEST_QUEUE")


@pytest.fixture(scope="session")
def front_end(tmp_path_factory: pytest.TempPathFactory) -> Iterator[flask.Flask]:
    """The front end in this process, with its default settings and open to everybody."""
    settings = {"CROPSVC_BLOBS": os.environ[BLOBS]} if os.environ.get(BLOBS) else {}
    with in_process(tmp_path_factory.mktemp("in-process"), **settings) as app:
        yield app


@pytest.fixture(scope="module")
def api(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client of the service under test, with its default settings and open to everybody."""
    with _client(request) as client:
        yield client


def _client(request: pytest.FixtureRequest) -> Client:
    if request.path.stem in ON_A_SERVER or any(map(os.environ.get, OTHERS_DECIDE)):
        return Client(request.getfixturevalue("base_url"))
    app: flask.Flask = request.getfixturevalue("front_end")
    return Client("http://127.0.0.1", transport=Transport(app))
