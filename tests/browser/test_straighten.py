"""Straighten: the preview agrees with the result, and the box stays in the frame."""

import io

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from tests import pictures
from tests.browser.crop_page import CropPage

ANGLES = ("0.4", "-2.5", "7", "-18.3", "45")
BARE = """() => {
  for (const name of ['.cropper-dashed', '.cropper-center', '.cropper-line', '.cropper-point'])
    for (const one of document.querySelectorAll(name)) one.style.display = 'none';
  const box = document.querySelector('.cropper-view-box');
  box.style.outline = 'none';
  box.style.boxShadow = 'none';
}"""


def smooth() -> bytes:
    """A photo without fine detail, which a screen shows much as any scaler does."""
    noise = np.random.default_rng(5).integers(0, 255, (9, 12, 3), np.uint8)
    return pictures.encode(
        np.asarray(Image.fromarray(noise).resize((480, 360), Image.Resampling.BICUBIC))
    )


def previewed(page: CropPage) -> Image.Image:
    """What the box on the stage shows, as it is on the screen."""
    page.page.evaluate(BARE)
    data = page.page.locator(".cropper-view-box").screenshot()
    return Image.open(io.BytesIO(data)).convert("RGB")


def test_the_preview_agrees_with_the_result_at_five_angles(page: CropPage) -> None:
    page.choose("horizon.png", smooth())
    page.page.evaluate("document.activeElement.blur()")
    for angle in ANGLES:
        page.page.fill("#tilt-value", angle)
        shown = previewed(page)
        page.crop()
        assert page.job()["outputs"][0]["region"] == list(page.box)
        made = Image.fromarray(page.shown()).resize(shown.size, Image.Resampling.BILINEAR)
        difference = np.abs(np.asarray(made, float) - np.asarray(shown, float)).mean()
        assert difference < 3, (angle, difference)


def test_the_box_stays_in_the_frame_and_comes_back(page: CropPage) -> None:
    page.choose("pattern.png", pictures.png(400, 300))
    page.type_box((0, 0, 400, 300))
    page.page.locator("#tilt").fill("30")
    assert page.box == (0, 0, 260, 195)  # 1 / (cos 30 + 4/3 sin 30) of 400 x 300
    page.press("Shift+ArrowRight", times=9)
    assert page.box == (0, 0, 260, 195)
    page.page.fill("#tilt-value", "0")
    assert page.box == (0, 0, 400, 300)
    page.page.click("#right")
    page.page.fill("#tilt-value", "5")
    page.crop()
    assert page.job()["outputs"][0]["region"] == list(page.box)
    expect(page.page.locator("#outputs .facts")).to_contain_text("×")
