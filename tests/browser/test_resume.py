"""A batch goes on after a closed tab, and while the server restarts."""

import re
from collections.abc import Callable

from playwright.sync_api import Route, expect

from tests import pictures
from tests.browser.conftest import Open
from tests.browser.crop_page import CropPage
from tests.browser.test_many import await_all, offered, zipped
from tests.stack import Stack


def files(count: int, seed: int) -> list[tuple[str, bytes]]:
    return [(f"{i}.jpg", pictures.jpeg(60, 60, seed=seed + i)) for i in range(count)]


def test_a_batch_goes_on_after_its_tab_was_closed(page: CropPage) -> None:
    chosen = files(6, seed=700)
    posts: list[str] = []

    def lose_all_but_three(route: Route) -> None:
        posts.append(route.request.headers["idempotency-key"])
        if len(posts) <= 3:
            route.continue_()
        elif len(posts) == 4:
            route.fetch()  # it arrives, and the answer does not

    page.page.route("**/v1/crops", lose_all_but_three)
    offered(page, chosen)
    page.page.fill("#size-w", "30")
    page.submit()
    expect(page.page.locator("#tray-list [data-state=done]")).to_have_count(3)
    page.page.wait_for_function("document.querySelectorAll('[data-state=sending]').length === 3")
    page.page.goto("about:blank")  # the tab is closed
    page.page.unroute_all()
    page.page.goto(page.url)
    await_all(page, "3 of 6 images of your last visit are cropped.")
    expect(page.page.locator("#batch-text")).to_have_text(
        re.compile(r"Choose the other 3 files again to go on: \d.jpg, \d.jpg, \d.jpg")
    )
    assert page.violations() == []
    sent: list[str] = []
    page.page.on("request", lambda one: sent.append(one.headers.get("idempotency-key", "")))
    offered_again(page, chosen)
    await_all(page, "All 6 images are cropped")
    assert sorted(filter(None, sent)) == sorted(set(posts[3:]))  # each is still one job
    with zipped(page) as archive:
        assert sorted(archive.namelist()) == [f"{i}-30x30.jpg" for i in range(6)]
    page.page.goto(page.url)  # and once more, for the ZIP
    await_all(page, "All 6 images are cropped")
    with zipped(page) as archive:
        assert len(archive.namelist()) == 6
    page.choose("new.png", pictures.png())
    expect(page.page.locator("#batch")).to_be_hidden()


def offered_again(page: CropPage, chosen: list[tuple[str, bytes]]) -> None:
    """Choose the same files; no image comes to the stage for that."""
    kind = "application/octet-stream"
    payload = [{"name": name, "mimeType": kind, "buffer": data} for name, data in chosen[:]]
    page.page.set_input_files("#file", payload)  # type: ignore[arg-type]  # FilePayloads


def test_a_visit_that_is_forgotten_is_gone(page: CropPage) -> None:
    page.page.route("**/v1/crops", lambda route: None)
    offered(page, files(2, seed=720))
    page.submit()
    expect(page.page.locator("#tray-list [data-state=sending]")).to_have_count(2)
    page.page.goto("about:blank")
    page.page.goto(page.url)
    page.page.click("#batch-forget")
    expect(page.page.locator("#batch")).to_be_hidden()
    assert page.page.evaluate("localStorage.getItem('cropsvc.batch')") is None


def test_a_batch_outlives_a_restart_of_the_server(
    make_stack: Callable[..., Stack], open_page: Open
) -> None:
    stack = make_stack()
    page = offered(open_page(stack.url), files(12, seed=740))
    page.submit()
    expect(page.page.locator("#tray-list [data-state=done]").nth(2)).to_be_visible()
    stack.kill(stack.web)
    stack.start_web()
    await_all(page, "All 12 images are cropped")
    with zipped(page) as archive:
        assert len(archive.namelist()) == 12
