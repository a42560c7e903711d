"""The page without JavaScript: the form, the self-refreshing job page, the picture."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests import pictures
from tests.browser.conftest import Open
from tests.browser.crop_page import CropPage
from tests.stack import Stack

PATTERN = pictures.pattern(400, 300)
FILE = {"name": "a.png", "mimeType": "image/png", "buffer": pictures.encode(PATTERN)}


@pytest.fixture
def plain(stack: Stack, open_page: Open) -> CropPage:
    """The front page in a browser that runs no script."""
    return open_page(stack.url, java_script_enabled=False)


def fill(page: Page) -> None:
    page.set_input_files("input[name=image]", FILE)  # type: ignore[arg-type]  # a FilePayload
    page.fill("input[name=box]", "30,40,200,100")


def picture_of(page: CropPage) -> pictures.Pixels:
    link = page.page.locator("#outputs img").get_attribute("src")
    return pictures.decode(page.page.request.get(page.url + str(link)).body())


def test_the_form_crops_and_the_page_shows_the_picture(plain: CropPage) -> None:
    fill(plain.page)
    plain.page.get_by_role("button", name="Crop", exact=True).click()
    expect(plain.page.locator("#outputs img")).to_be_visible(timeout=15_000)
    expect(plain.page.locator("#outputs .facts")).to_contain_text("200 × 100 · PNG")
    assert np.array_equal(picture_of(plain), PATTERN[40:140, 30:230])


def test_the_page_looks_again_by_itself_until_the_picture_is_there(
    idle_stack: Stack, open_page: Open
) -> None:
    page = open_page(idle_stack.url, java_script_enabled=False)
    fill(page.page)
    page.page.get_by_role("button", name="Crop", exact=True).click()
    expect(page.title).to_have_text("Waiting in the queue")
    expect(page.words).to_have_text("Place 1 in the queue.")
    idle_stack.start_worker()
    expect(page.page.locator("#outputs img")).to_be_visible(timeout=15_000)


def test_the_sample_is_one_button(plain: CropPage) -> None:
    plain.page.get_by_role("button", name="Try it with the sample image").click()
    expect(plain.page.locator("#outputs .facts")).to_contain_text("300 × 300", timeout=15_000)


def test_a_wrong_box_is_answered_with_a_message(plain: CropPage) -> None:
    fill(plain.page)
    plain.page.fill("input[name=box]", "nonsense")
    plain.page.get_by_role("button", name="Crop", exact=True).click()
    expect(plain.page.locator("main")).to_contain_text("box")
    expect(plain.page.locator("main")).to_contain_text("nonsense")


def test_nothing_that_needs_script_is_shown(plain: CropPage) -> None:
    shown = [element for element in plain.page.locator(".needs-script").all()
             if element.is_visible()]  # fmt: skip
    assert shown == []
