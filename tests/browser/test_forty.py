"""Forty photos to 4:5 as WebP of 1200 x 1500, in one ZIP: by mouse, keys, touch, and in Firefox.

All ask for the same crops, so only the first one costs the encoding.
"""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests import pictures
from tests.browser.conftest import Open
from tests.browser.crop_page import CropPage
from tests.browser.firefox import firefox
from tests.browser.screenshots import PHONE
from tests.browser.test_accessibility import tab_to
from tests.browser.test_many import await_all, offered, zipped
from tests.stack import Stack, until

COUNT = 40
SIDES = [(96 + 8 * (i % 5), 64 + 8 * (i % 7)) for i in range(COUNT)]
FILES = [(f"IMG_{i:04}.jpg", pictures.jpeg(*sides, seed=i)) for i, sides in enumerate(SIDES)]
KEPT = "localStorage.getItem('cropsvc.batch')"


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """The photos as files."""
    for name, data in FILES:
        (tmp_path / name).write_bytes(data)
    return [tmp_path / name for name, _ in FILES]


def check(archive: zipfile.ZipFile, stack: Stack, kept: str) -> None:
    """The ZIP has every photo, byte by byte as the API gives it, in the shape asked for."""
    rows = json.loads(kept)["rows"]
    names = {f"{row['name'].removesuffix('.jpg')}-1200x1500.webp": row["job"] for row in rows}
    assert sorted(names) == [f"IMG_{i:04}-1200x1500.webp" for i in range(COUNT)]
    assert sorted(archive.namelist()) == sorted(names)
    assert archive.testzip() is None
    with httpx.Client(base_url=stack.url) as client:
        for name, job in names.items():
            data = archive.read(name)
            assert data == client.get(f"/v1/crops/{job}/image").content
            with Image.open(io.BytesIO(data)) as image:
                assert (image.format, image.size) == ("WEBP", (1200, 1500))


def test_by_mouse(page: CropPage, stack: Stack) -> None:
    offered(page, FILES)
    page.page.get_by_role("radio", name="4:5").check(force=True)
    page.page.fill("#size-w", "1200")
    page.page.select_option("#format", "webp")
    assert page.page.inner_text("#submit") == "Crop all 40 images"
    page.page.focus("#tray-list [aria-pressed=true]")
    page.page.keyboard.press("ArrowRight")  # the second one gets a box of its own
    expect(page.page.locator("#source-name")).to_have_text("IMG_0001.jpg")
    expect(page.page.locator("#tray-count")).to_have_text("2 of 40")
    page.page.fill("#box-x", "3")
    page.type_box((3, 4, 40, 50))
    page.submit()
    await_all(page, "All 40 images are cropped")
    assert page.violations() == []
    with zipped(page) as archive:
        check(archive, stack, page.page.evaluate(KEPT))
        second = pictures.decode(archive.read("IMG_0001-1200x1500.webp"))[..., :3]
    box = Image.fromarray(pictures.decode(FILES[1][1])[4:54, 3:43])
    wanted = np.asarray(box.resize((1200, 1500), Image.Resampling.LANCZOS), float)
    assert np.abs(second - wanted).mean() < 12


def test_by_keys_alone(page: CropPage, stack: Stack, paths: list[Path]) -> None:
    keyboard = page.page.keyboard
    tab_to(page, "Choose images")
    with page.page.expect_file_chooser() as chooser:
        keyboard.press("Space")  # Enter does it too, but not in the headless shell
    chooser.value.set_files(paths)
    page.await_editor()
    tab_to(page, "aspect")
    for _ in range(2):
        keyboard.press("ArrowDown")
    expect(page.page.get_by_role("radio", name="4:5")).to_be_checked()
    tab_to(page, "size-w")
    keyboard.type("1200")
    tab_to(page, "format")
    keyboard.type("Web")
    tab_to(page, "Crop all 40 images")
    keyboard.press("Enter")
    await_all(page, "All 40 images are cropped")
    tab_to(page, "Download all as ZIP")
    with page.page.expect_download() as waiting:
        keyboard.press("Enter")
    with zipfile.ZipFile(waiting.value.path()) as archive:
        check(archive, stack, page.page.evaluate(KEPT))


def test_by_touch_on_a_phone(stack: Stack, open_page: Open, paths: list[Path]) -> None:
    page = open_page(stack.url, **PHONE)
    with page.page.expect_file_chooser() as chooser:
        page.page.tap("#choose")
    chooser.value.set_files(paths)
    page.await_editor()
    page.page.get_by_text("4:5", exact=True).tap()
    page.page.tap("#size-w")
    page.page.keyboard.type("1200")
    page.page.select_option("#format", "webp")  # the phone's own list opens outside the page
    page.page.tap("#submit")
    await_all(page, "All 40 images are cropped")
    assert page.page.evaluate("document.documentElement.scrollWidth") == 360
    with page.page.expect_download() as waiting:
        page.page.tap("#batch-zip")
    with zipfile.ZipFile(waiting.value.path()) as archive:
        check(archive, stack, page.page.evaluate(KEPT))


def test_in_firefox(
    stack: Stack, require: Callable[[str], str], paths: list[Path], tmp_path: Path
) -> None:
    with firefox(require("firefox"), tmp_path) as window:
        window.open(stack.url)
        window.type("#file", "\n".join(map(str, paths)))
        shown = "return document.querySelector('.cropper-crop-box')?.offsetWidth"
        until(lambda: window.run(shown), seconds=30, what="the first photo is on the stage")
        window.click("input[name=aspect][value='4:5'] + span")
        window.type("#size-w", "1200")
        window.choose("#format", "webp")
        window.click("#submit")
        title = "return document.getElementById('batch-title').textContent"
        all_done = "All 40 images are cropped"
        until(lambda: window.run(title) == all_done, seconds=60, what=all_done)
        window.click("#batch-zip")
        file = window.downloads / "crops.zip"
        until(lambda: file.exists() and zipfile.is_zipfile(file), seconds=30, what="the ZIP")
        with zipfile.ZipFile(file) as archive:
            check(archive, stack, window.run(f"return {KEPT}"))
