"""Ways to bring a picture to the page, and what is refused before any upload."""

import base64
import re
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
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
    without_extra = "document.getElementById('file').accept = 'image/jpeg,image/png'"
    page.page.evaluate(without_extra)
    page.offer(name, data)
    expect(page.page.get_by_role("alert")).to_contain_text(words)
    expect(page.page.locator("#drop")).to_be_visible()
    assert "POST" not in posts


def test_a_jpeg_of_more_pixels_than_may_be_decoded_is_cropped_smaller(page: CropPage) -> None:
    data = pictures.save(Image.new("L", (8000, 7000), 90), "jpeg", quality=50)
    page.choose("large.jpg", data)
    expect(page.page.locator("#source-facts")).to_contain_text("8000 × 7000")
    page.page.fill("#size-w", "80")
    page.crop()
    assert page.shown().shape[:2] == (70, 80)


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


SEVERAL = """() => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(DATA), c => c.charCodeAt(0));
  for (const name of ['one.png', 'two.png', 'three.png'])
    transfer.items.add(new File([bytes], name));
  document.body.dispatchEvent(
    new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""


def test_several_dropped_files_are_all_in_the_tray(page: CropPage) -> None:
    data = base64.b64encode(pictures.png(400, 300)).decode()
    page.page.evaluate(SEVERAL.replace("DATA", f"'{data}'"))
    page.await_editor()
    expect(page.page.locator("#tray-list button")).to_have_count(3)
    expect(page.page.locator("#tray-count")).to_have_text("1 of 3")
    expect(page.page.locator("#source-name")).to_have_text("one.png")


@pytest.mark.parametrize("width", [390, 768, 1280, 1920])
@pytest.mark.parametrize(
    "sides", [(300, 3000), (1600, 400), (2000, 1000), (3000, 600), (4000, 200)]
)
def test_no_shape_of_image_breaks_the_page(
    stack: Stack, open_page: Open, width: int, sides: tuple[int, int]
) -> None:
    page = open_page(stack.url, viewport={"width": width, "height": 800})
    page.choose("wide.png", pictures.encode(np.zeros((sides[1], sides[0], 3), np.uint8)))
    found = page.page.evaluate(
        """() => {
          const place = (name) => document.querySelector(name).getBoundingClientRect();
          const handles = [...document.querySelectorAll(".cropper-point")].map((one) =>
            one.getBoundingClientRect()).filter((one) => one.width);
          const [stage, settings] = [place("#stage"), place("#settings")];
          return {
            page: document.documentElement.scrollWidth,
            stage: stage.right,
            overlaps: stage.right > settings.left + 1 && stage.bottom > settings.top + 1
              && stage.left < settings.right && stage.top < settings.bottom,
            outside: handles.filter((one) => one.left < stage.left - 12
              || one.right > stage.right + 12 || one.top < stage.top - 12
              || one.bottom > stage.bottom + 12).length,
          };
        }"""
    )
    assert found["page"] <= width
    assert found["stage"] <= width
    assert not found["overlaps"]
    assert found["outside"] == 0
