"""Images that Chromium cannot show, or only at a cost: the stage has the service's preview."""

from functools import cache
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import Request, expect

from tests import pictures
from tests.browser.conftest import Open
from tests.browser.crop_page import CropPage
from tests.browser.test_straighten import previewed
from tests.stack import Stack

WIDTH, HEIGHT = 2200, 500


@cache
def smooth(width: int, height: int) -> Image.Image:
    """A photo without fine detail, which any scaler shows much the same."""
    noise = np.random.default_rng(8).integers(0, 255, (9, 12, 3), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def heic(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    buffer = BytesIO()
    pillow_heif.from_pillow(smooth(width, height)).save(buffer, quality=90)
    return buffer.getvalue()


def tiff() -> bytes:
    return pictures.save(smooth(WIDTH, HEIGHT), "tiff", compression="tiff_lzw")


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of 255, at the second one's size."""
    small = one.convert("RGB").resize(other.size, Image.Resampling.BILINEAR)
    return float(np.abs(np.asarray(small, float) - np.asarray(other.convert("RGB"), float)).mean())


@pytest.mark.parametrize(("make", "name"), [(heic, "HEIC"), (tiff, "TIFF")])
def test_what_chromium_cannot_show_is_drawn_on_and_cropped_in_its_own_pixels(
    page: CropPage, make: object, name: str
) -> None:
    posts: list[bytes] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            posts.append(request.post_data_buffer or b"")

    page.page.on("request", note)
    page.choose(f"photo.{name.lower()}", make())  # type: ignore[operator]
    expect(page.page.locator("#source-facts")).to_contain_text(f"2200 × 500 · {name}")
    stage = Image.fromarray(page.on_stage())
    assert stage.size == (2000, 455)
    assert difference(smooth(WIDTH, HEIGHT), stage) < 3
    page.type_box((1800, 50, 400, 300))
    page.crop()
    assert page.job()["outputs"][0]["region"] == [1800, 50, 400, 300]
    wanted = smooth(WIDTH, HEIGHT).crop((1800, 50, 2200, 350))
    assert difference(wanted, Image.fromarray(page.shown())) < 3
    assert [b'name="source"' in one for one in posts] == [False, True]  # one upload
    page.page.fill("#tilt-value", "7")  # the preview is enlarged by the frame of the whole image
    page.type_box((200, 30, 1100, 250))
    page.page.evaluate("document.activeElement.blur()")
    turned = previewed(page)
    page.crop()
    assert difference(Image.fromarray(page.shown()), turned) < 3


def test_a_very_wide_image_is_previewed_too(page: CropPage) -> None:
    strip = smooth(17_000, 60)
    page.choose("strip.png", pictures.save(strip, "png"))
    expect(page.page.locator("#source-facts")).to_contain_text("17000 × 60 · PNG")
    assert page.on_stage().shape == (7, 2000, 3)
    page.type_box((16_900, 5, 100, 50))
    page.crop()
    assert np.array_equal(page.shown(), np.asarray(strip)[5:55, 16_900:])


def test_without_a_worker_the_page_says_why_there_is_no_preview(
    idle_stack: Stack, open_page: Open
) -> None:
    page = open_page(idle_stack.url)
    page.offer("photo.heic", heic(60, 40))
    expect(page.page.locator("#preparing")).to_be_visible()
    expect(page.page.get_by_role("alert")).to_contain_text("No worker is running")
    expect(page.page.locator("#preparing")).to_be_hidden()
    page.choose("photo.png", pictures.png())  # and goes on
