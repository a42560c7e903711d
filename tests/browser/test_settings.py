"""The settings of the page beside box and size: shapes, presets, and what may be lost."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import expect

from tests import pictures
from tests.browser.conftest import Open
from tests.browser.crop_page import CropPage
from tests.stack import Stack

PRESETS = """
[avatar]
description = "Round, on every profile"
aspect = "1:1"
size = "64x64"
format = "webp"
lossless = true
"""


def test_a_shape_is_flipped_and_a_custom_one_begins_with_the_last(page: CropPage) -> None:
    page.choose("photo.png", pictures.png(400, 300))
    page.page.get_by_role("radio", name="16:9").check(force=True)
    page.page.get_by_role("radio", name="Custom").check(force=True)
    expect(page.page.locator("#ratio-w")).to_have_value("16")
    expect(page.page.locator("#ratio-h")).to_have_value("9")
    page.page.click("#flip")
    _, _, width, height = page.box
    assert abs(width / height - 9 / 16) < 0.01
    page.page.get_by_role("radio", name="1:1").check(force=True)
    page.page.get_by_label("Show it round").check()
    radius = "getComputedStyle(document.querySelector('.cropper-view-box')).borderRadius"
    assert page.page.evaluate(radius) == "50%"


def test_losses_are_said_before_and_the_size_of_the_file_is_kept(page: CropPage) -> None:
    alpha = np.dstack([pictures.photo(300, 200, seed=4), np.full((200, 300), 128, np.uint8)])
    page.choose("glass.png", pictures.encode(alpha))
    losses = page.page.locator("#losses")
    expect(losses).to_be_empty()
    page.page.select_option("#format", "jpeg")
    expect(losses).to_contain_text("Transparent parts become white")
    page.page.click("#more")
    page.page.fill("#max-bytes", "0.5")
    page.submit()
    expect(page.page.locator("#max-bytes")).to_be_focused()
    page.page.fill("#max-bytes", "6")
    page.crop()
    assert page.job()["outputs"][0]["bytes"] <= 6000
    expect(page.page.locator("#outputs .notes")).to_contain_text("Quality")
    page.page.goto(page.url)  # the last settings are there for the next image
    page.choose("other.png", pictures.png())
    expect(page.page.locator("#format")).to_have_value("jpeg")
    expect(page.page.locator("#max-bytes")).to_have_value("6")


def test_a_preset_of_the_operator_fills_the_fields(
    make_stack: Callable[..., Stack], open_page: Open, tmp_path: Path
) -> None:
    (tmp_path / "presets.toml").write_text(PRESETS)
    page = open_page(make_stack(presets=str(tmp_path / "presets.toml")).url)
    page.choose("photo.png", pictures.png(400, 300))
    page.page.select_option("#preset", "avatar")
    expect(page.page.locator("#preset-text")).to_have_text("Round, on every profile")
    expect(page.page.get_by_role("radio", name="1:1")).to_be_checked()
    expect(page.page.get_by_label("Without loss")).to_be_checked()
    assert page.violations() == []
    page.crop()
    assert page.shown().shape == (64, 64, 3)
    assert "preset=avatar" in (page.page.text_content("#curl") or "")
