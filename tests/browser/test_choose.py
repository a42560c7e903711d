"""Ways to bring a picture to the page, and what is refused before any upload."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import pictures
from tests.browser.conftest import Open
from tests.browser.crop_page import CropPage
from tests.stack import Stack


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_can_be_dropped_and_pasted(page: CropPage, kind: str) -> None:
    page.hand_in("shape.png", pictures.png(400, 300), kind=kind)
    page.await_editor()
    expect(page.page.locator("#source-name")).to_have_text("shape.png")
    expect(page.page.locator("#source-facts")).to_contain_text("400 × 300 · PNG")


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp", "avif", "bmp", "tiff"])
def test_every_format_that_the_service_reads_can_be_cropped(page: CropPage, kind: str) -> None:
    pixels = pictures.photo(320, 240, seed=7)
    data = pictures.encode(pixels, kind)
    page.choose(f"a.{kind}", data)
    expect(page.page.locator("#source-facts")).to_contain_text(f"320 × 240 · {kind.upper()}")
    page.type_box((20, 30, 200, 100))
    page.page.select_option("#format", "png")
    page.crop()
    assert (page.shown() == pictures.decode(data)[30:130, 20:220]).all()


REFUSED = {
    "no picture": ("notes.txt", b"no picture at all, just words", "not an image this service"),
    "empty": ("empty.png", b"", "is empty"),
    "heic": ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
    "broken": ("a.png", pictures.png_header(40, 30)[:40], "seems to be broken"),
    "vast": ("a.png", pictures.bomb(9000), "81,000,000 pixels"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_cropped_is_said_before_any_upload(page: CropPage, case: str) -> None:
    name, data, words = REFUSED[case]
    posts: list[str] = []
    page.page.on("request", lambda request: posts.append(request.method))
    page.offer(name, data)
    expect(page.page.get_by_role("alert")).to_contain_text(words)
    expect(page.page.locator("#drop")).to_be_visible()
    assert "POST" not in posts


def test_a_file_that_is_too_large_is_said_before_any_upload(
    make_stack: Callable[..., Stack], open_page: Open
) -> None:
    stack = make_stack(max_upload="20KiB", worker=False)
    page = open_page(stack.url)
    page.offer("large.jpg", pictures.jpeg())
    expect(page.page.get_by_role("alert")).to_have_text(re.compile(r"kB; the service takes up to"))


def test_a_wrong_file_leaves_the_picture_on_the_stage_as_it_was(page: CropPage) -> None:
    page.choose("a.png", pictures.png(400, 300))
    page.type_box((10, 20, 100, 50))
    page.offer("notes.txt", b"just words")
    expect(page.page.get_by_role("alert")).to_contain_text("not an image")
    page.crop()
    assert (page.shown() == pictures.pattern(400, 300)[20:70, 10:110]).all()
