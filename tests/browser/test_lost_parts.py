"""A script or style that is lost on its way: the page is loaded again, or says what to do."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.crop_page import CropPage

PARTS = ("js/words.js", "js/app.js", "vendor/cropperjs/cropper.min.js", "page.css")


def lose(page: Page, part: str, *, times: int | None) -> list[str]:
    """Fails the next requests for *part*, all where *times* is None; gives the list of them."""
    lost: list[str] = []

    def fail(route: Route) -> None:
        lost.append(route.request.url)
        route.abort("internetdisconnected")

    page.route(f"**/static/{part}*", fail, **({} if times is None else {"times": times}))
    return lost


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_lost_once_costs_nothing(page: CropPage, part: str) -> None:
    lost = lose(page.page, part, times=1)
    page.page.goto(page.url)
    page.page.wait_for_function(
        "() => performance.getEntriesByType('navigation')[0].type === 'reload'"
    )
    page.page.wait_for_load_state("load")  # modules have run then, and the button has its handler
    page.page.click("#sample")
    page.await_editor()
    assert len(lost) == 1


def test_a_part_that_stays_lost_is_reported_and_ends_the_reloads(
    page: CropPage,
) -> None:
    lost = lose(page.page, "js/words.js", times=None)
    page.page.goto(page.url)
    expect(page.page.get_by_role("alert")).to_have_text(
        "A part of this page could not be loaded. Reload the page to try again."
    )
    assert len(lost) == 2
