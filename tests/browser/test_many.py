"""Many images at once: one panel of settings, a tray, and everything as one ZIP."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from playwright.sync_api import expect

from tests import pictures
from tests.browser.crop_page import PATIENCE, CropPage


def offered(page: CropPage, files: Sequence[tuple[str, bytes]]) -> CropPage:
    """Choose these files, and wait for the first one."""
    kind = "application/octet-stream"
    payload = [{"name": name, "mimeType": kind, "buffer": data} for name, data in files]
    page.page.set_input_files("#file", payload)  # type: ignore[arg-type]  # FilePayloads
    page.await_editor()
    return page


def zipped(page: CropPage) -> zipfile.ZipFile:
    """The ZIP that the page hands over."""
    with page.page.expect_download() as waiting:
        page.page.click("#batch-zip")
    return zipfile.ZipFile(io.BytesIO(Path(waiting.value.path()).read_bytes()))


def await_all(page: CropPage, words: str) -> None:
    """Wait until the batch has ended with this heading."""
    expect(page.page.locator("#batch-title")).to_have_text(words, timeout=2 * PATIENCE)


def test_what_fails_is_marked_and_the_rest_is_there(page: CropPage) -> None:
    one = pictures.jpeg(300, 200, seed=2)
    good = [("one.jpg", one), ("two.jpg", pictures.jpeg(200, 300))]
    offered(page, [*good, ("notes.txt", b"just words")])
    expect(page.page.get_by_role("alert")).to_contain_text("notes.txt")
    page.page.route("**/v1/crops", lambda route: route.fulfill(
        status=422, content_type="application/problem+json",
        body='{"code": "unreadable", "detail": "The file is broken."}'), times=1)  # fmt: skip
    page.submit()
    await_all(page, "1 of 2 images are cropped")
    failed = page.page.locator("#tray-list [data-state=failed]")
    failed.click()
    expect(page.words).to_have_text("The file is broken.")
    page.page.click("#batch-retry")
    await_all(page, "All 2 images are cropped")
    with zipped(page) as archive:
        assert sorted(archive.namelist()) == ["one-300x200.jpg", "two-200x300.jpg"]


def test_a_batch_is_paused_gone_on_with_and_canceled(page: CropPage) -> None:
    offered(page, [(f"{i}.jpg", pictures.jpeg(60, 60, seed=i)) for i in range(8)])
    page.page.route("**/v1/crops", lambda route: None)  # no upload is answered
    page.submit()
    expect(page.page.locator("#tray-list [data-state=sending]")).to_have_count(4)
    page.page.click("#batch-pause")
    expect(page.page.locator("#batch-title")).to_have_text("Paused: 0 of 8 are cropped")
    assert page.violations() == []
    page.page.click("#batch-cancel")
    await_all(page, "0 of 8 images are cropped")
    expect(page.page.locator("#tray-list [data-state=canceled]")).to_have_count(8)
    page.page.unroute_all()
    page.page.click("#batch-retry")
    await_all(page, "All 8 images are cropped")


def test_a_box_for_all_is_the_same_part_of_each(page: CropPage) -> None:
    offered(page, [("a.png", pictures.png(100, 80)), ("b.png", pictures.png(200, 160))])
    page.type_box((10, 20, 50, 40))
    page.page.click("#apply-all")
    page.press("PageDown")
    expect(page.page.locator("#source-name")).to_have_text("b.png")
    expect(page.page.locator("#box-w")).to_have_value("100")
    assert page.box == (20, 40, 100, 80)
    page.submit()
    await_all(page, "All 2 images are cropped")
    assert np.array_equal(page.shown(), pictures.pattern(200, 160)[40:120, 20:120])
