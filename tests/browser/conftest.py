"""A real Chromium, and a page in it that notices what a page of ours must never do."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.browser.crop_page import CropPage, opened
from tests.browser.network import Network
from tests.stack import Stack, running

FLAGS = (
    "--no-sandbox",  # the tests may run as root in a container
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
)
Open = Callable[..., CropPage]


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    """A network in which no interface comes or goes."""
    made = Network()
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def _apart(network: Network) -> Iterator[None]:
    """The tests and all that they start are in the network of their own."""
    with network.entered():
        yield


@pytest.fixture(scope="session")
def stack(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack with the default settings, shared by the browser tests."""
    with ExitStack() as exits:
        with network.entered():
            started = exits.enter_context(running(tmp_path_factory.mktemp("stack")))
        yield started


@pytest.fixture(scope="session")
def playwright(network: Network) -> Iterator[Playwright]:
    """The driver: a process can start only one."""
    with ExitStack() as exits:
        with network.entered():
            driver = exits.enter_context(sync_playwright())
        yield driver


@pytest.fixture(scope="session")
def browser(
    network: Network, playwright: Playwright, require: Callable[[str], str]
) -> Iterator[Browser]:
    """Chromium of the system."""
    path = require("chromium")
    expect.set_options(timeout=20_000)  # its own 5 s are short for a busy machine
    with network.entered():
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """`open_page(url, **context options)`: a page in a browser profile of its own.

    At the end none may have met a script error, a CSP violation or a foreign request.
    """
    pages: list[CropPage] = []

    def open_one(url: str, **options: object) -> CropPage:
        pages.append(opened(browser, url, **options))
        return pages[-1]

    yield open_one
    for page in pages:
        page.page.context.close()
    assert [fault for page in pages for fault in page.faults] == []


@pytest.fixture
def page(stack: Stack, open_page: Open) -> CropPage:
    """The front page of the shared stack."""
    return open_page(stack.url)
