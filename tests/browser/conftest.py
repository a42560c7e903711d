"""A real Chromium, and a page in it that notices what a page of ours must never do."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.crop_page import CropPage, opened
from tests.stack import Stack

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
def browser(require: Callable[[str], str]) -> Iterator[Browser]:
    """Chromium of the system."""
    path = require("chromium")
    expect.set_options(timeout=20_000)  # its own 5 s are short for a busy machine
    with sync_playwright() as playwright:
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
