"""Tools around the stage and the result: horizon, comparison, share, clipboard, helpful notes."""

import base64
import io
import math

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests import pictures
from tests.browser.conftest import Open
from tests.browser.crop_page import CropPage
from tests.browser.test_straighten import smooth
from tests.imaging import ultra_hdr
from tests.stack import Stack

SHARE = """
window.shared = [];
Object.defineProperty(navigator, 'canShare', {value: ({files}) => files.length === 1});
Object.defineProperty(navigator, 'share', {value: async ({files: [file]}) => {
  const bytes = new Uint8Array(await file.arrayBuffer());
  window.shared.push([file.name, file.type, bytes.length]);
}});
"""
PASTED = """async () => {
  const [item] = await navigator.clipboard.read();
  const bytes = new Uint8Array(await (await item.getType('image/png')).arrayBuffer());
  return btoa(String.fromCharCode(...bytes));
}"""


def test_a_line_along_the_horizon_straightens(page: CropPage) -> None:
    page.choose("sea.png", smooth())
    page.page.click("#horizon")
    assert page.violations() == []
    frame = page.page.locator("#stage").bounding_box()
    assert frame
    page.drag((0.2, 0.4), (0.8, 0.5))
    off = math.degrees(math.atan2(0.1 * frame["height"], 0.6 * frame["width"]))
    expect(page.page.locator("#tilt-value")).to_have_value(f"{-off:.1f}")
    expect(page.page.locator("#horizon")).to_have_attribute("aria-pressed", "false")
    page.page.click("#horizon")
    page.drag((0.5, 0.2), (0.5, 0.9))  # along an upright edge: as it should be
    expect(page.page.locator("#tilt-value")).to_have_value(f"{-off:.1f}")
    page.page.click("#horizon")
    page.press("Escape")
    expect(page.page.locator(".horizon")).to_have_count(0)


@pytest.mark.parametrize("turn", ["", "-6.5"])
def test_the_comparison_shows_the_same_part_of_the_original(page: CropPage, turn: str) -> None:
    page.choose("sea.png", smooth())
    page.page.click("#right")
    page.page.fill("#tilt-value", turn or "0")
    page.type_box((40, 60, 150, 120))
    page.crop()
    page.page.click(".compare-with")
    canvas = page.page.locator(".compare canvas")
    data = canvas.evaluate("one => one.toDataURL('image/png').split(',')[1]")
    before = pictures.decode(base64.b64decode(data))[..., :3]
    after = pictures.decode(
        page.page.request.get(page.url + page.job()["outputs"][0]["url"]).body()
    )
    assert np.abs(before.astype(float) - after[..., :3]).mean() < 3
    assert page.violations() == []
    page.page.locator(".compare input").fill("90")
    assert (
        page.page.locator(".compare").evaluate("one => one.style.getPropertyValue('--at')") == "90%"
    )
    page.page.click(".compare-with")
    expect(page.page.locator(".compare")).to_have_count(0)
    expect(page.page.locator("#outputs .picture img")).to_be_visible()


def test_a_result_is_shared_where_the_browser_can(stack: Stack, open_page: Open) -> None:
    page = open_page(stack.url)
    page.page.add_init_script(SHARE)
    page.page.goto(page.url)
    page.choose("sea.png", smooth())
    page.page.select_option("#format", "jpeg")
    page.crop()
    page.page.get_by_role("button", name="Share").click()
    page.page.wait_for_function("window.shared.length")
    size = page.job()["outputs"][0]["bytes"]
    assert page.page.evaluate("window.shared") == [["sea-crop.jpg", "image/jpeg", size]]


def test_a_result_is_copied_as_an_image(stack: Stack, open_page: Open) -> None:
    page = open_page(stack.url, permissions=["clipboard-read", "clipboard-write"])
    page.choose("sea.png", pictures.png(40, 30))
    page.page.select_option("#format", "webp")
    page.crop()
    expect(page.page.get_by_role("button", name="Share")).to_be_hidden()  # Linux has no sheet
    page.page.get_by_role("button", name="Copy the image").click()
    expect(page.page.locator(".copy-image")).to_have_text("Copied")
    pasted = pictures.decode(base64.b64decode(page.page.evaluate(PASTED)))
    assert np.array_equal(pasted[..., :3], page.shown())


def test_the_button_next_to_the_note_keeps_hdr(page: CropPage) -> None:
    page.choose("phone.jpg", ultra_hdr.photo((320, 240)))
    page.crop()
    expect(page.page.locator("#outputs .notes")).to_contain_text("HDR brightness is not kept")
    page.page.get_by_role("button", name="Keep HDR brightness and crop again").click()
    expect(page.page.locator("#outputs .notes")).not_to_contain_text("HDR")
    expect(page.page.get_by_label("Keep HDR brightness")).to_be_checked()
    page.page.reload()
    page.await_editor()
    expect(page.page.get_by_label("Keep HDR brightness")).to_be_checked()


def test_a_loss_comes_with_the_button_that_avoids_it(page: CropPage) -> None:
    alpha = np.dstack([pictures.photo(60, 40, seed=4), np.full((40, 60), 128, np.uint8)])
    page.choose("glass.png", pictures.encode(alpha))
    page.page.select_option("#format", "jpeg")
    page.crop()
    expect(page.page.locator("#outputs .notes")).to_contain_text("Transparency became")
    page.page.get_by_role("button", name="Make a WebP").click()
    expect(page.page.locator("#outputs .facts")).to_contain_text("WEBP")
    expect(page.page.locator("#outputs .notes")).not_to_contain_text("Transparency")
    made = page.page.request.get(page.url + page.job()["outputs"][0]["url"]).body()
    assert Image.open(io.BytesIO(made)).mode == "RGBA"
