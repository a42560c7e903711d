"""The box is what the server crops, whatever set it: mouse, keys, fields, shape, rotation."""

import numpy as np
import pytest
from PIL import ExifTags, Image
from playwright.sync_api import expect

from tests import pictures
from tests.browser.conftest import Open
from tests.browser.crop_page import CropPage
from tests.pictures import Pixels
from tests.stack import Stack

WIDTH, HEIGHT = 1200, 900
PATTERN = pictures.pattern(WIDTH, HEIGHT)


@pytest.fixture
def on_pattern(page: CropPage) -> CropPage:
    """The page with a picture on the stage in which every pixel tells its place."""
    page.choose("pattern.png", pictures.encode(PATTERN))
    return page


def cut(pixels: Pixels, box: tuple[int, int, int, int]) -> Pixels:
    x, y, width, height = box
    return pixels[y : y + height, x : x + width]


def test_a_box_set_by_fields_is_cropped_to_the_pixel(on_pattern: CropPage) -> None:
    on_pattern.type_box((123, 45, 677, 501))
    on_pattern.crop()
    assert np.array_equal(on_pattern.shown(), cut(PATTERN, (123, 45, 677, 501)))


def test_a_box_drawn_by_mouse_is_cropped_as_the_fields_say(on_pattern: CropPage) -> None:
    scale = int(on_pattern.page.inner_text("#zoom").removesuffix(" %")) / 100
    on_pattern.press("Shift+ArrowLeft")  # to begin with another box than the initial one
    on_pattern.drag((0.83, 0.04), (0.63, 0.39))  # outside the box: draws a new one
    x, y, width, height = on_pattern.box
    frame = on_pattern.page.locator("#stage").bounding_box()
    assert frame
    assert width == pytest.approx(0.2 * frame["width"] / scale, abs=3 / scale)
    assert height == pytest.approx(0.35 * frame["height"] / scale, abs=3 / scale)
    on_pattern.crop()
    assert np.array_equal(on_pattern.shown(), cut(PATTERN, (x, y, width, height)))


def test_a_box_is_moved_by_dragging_it(on_pattern: CropPage) -> None:
    before = on_pattern.box
    on_pattern.drag((0.5, 0.5), (0.45, 0.47))
    after = on_pattern.box
    assert after[2:] == before[2:]
    assert after[0] < before[0]
    assert after[1] < before[1]
    on_pattern.crop()
    assert np.array_equal(on_pattern.shown(), cut(PATTERN, after))


def test_keys_move_the_box_by_one_and_ten_pixels_and_change_its_size(
    on_pattern: CropPage,
) -> None:
    on_pattern.type_box((100, 100, 300, 200))
    on_pattern.press("ArrowRight", times=3)
    on_pattern.press("Shift+ArrowDown", times=2)
    on_pattern.press("ArrowUp")
    on_pattern.press("Alt+ArrowRight", times=2)
    on_pattern.press("Alt+Shift+ArrowUp")
    assert on_pattern.box == (103, 119, 302, 190)
    on_pattern.crop()
    assert np.array_equal(on_pattern.shown(), cut(PATTERN, (103, 119, 302, 190)))


def test_the_box_never_leaves_the_picture(on_pattern: CropPage) -> None:
    on_pattern.type_box((5, 5, 300, 200))
    on_pattern.press("Shift+ArrowLeft", times=3)
    assert on_pattern.box == (0, 5, 300, 200)
    on_pattern.page.fill("#box-x", "5000")
    on_pattern.page.fill("#box-h", "5000")
    on_pattern.page.locator("#box-h").blur()
    assert on_pattern.box == (900, 0, 300, 900)


@pytest.mark.parametrize("shape", ["1:1", "4:3", "3:2", "16:9"])
def test_a_shape_holds_through_fields_and_keys(on_pattern: CropPage, shape: str) -> None:
    across, down = map(int, shape.split(":"))
    on_pattern.page.get_by_role("radio", name=shape).check(force=True)
    on_pattern.page.fill("#box-w", "640")
    _, _, width, height = on_pattern.box
    assert (width, height) == (640, round(640 * down / across))
    on_pattern.press("Alt+ArrowDown", times=9)
    _, _, width, height = on_pattern.box
    assert width / height == pytest.approx(across / down, abs=0.01)
    assert height == pytest.approx(640 * down / across + 9, abs=1)


def test_a_shape_of_ones_own_holds_while_the_mouse_drags(on_pattern: CropPage) -> None:
    on_pattern.page.get_by_role("radio", name="Custom").check(force=True)
    on_pattern.page.fill("#ratio-w", "2")
    on_pattern.page.fill("#ratio-h", "1")
    on_pattern.page.fill("#box-w", "400")
    assert on_pattern.box[2:] == (400, 200)
    on_pattern.drag((0.9, 0.95), (0.6, 0.7))
    _, _, width, height = on_pattern.box
    assert width / height == pytest.approx(2, abs=0.02)
    on_pattern.crop()
    assert np.array_equal(on_pattern.shown(), cut(PATTERN, on_pattern.box))


@pytest.mark.parametrize(("button", "turns"), [("#right", 3), ("#left", 1)])
def test_a_rotated_picture_is_cropped_in_its_new_coordinates(
    on_pattern: CropPage, button: str, turns: int
) -> None:
    on_pattern.page.click(button)
    on_pattern.type_box((30, 40, 500, 700))
    on_pattern.crop()
    assert np.array_equal(on_pattern.shown(), cut(np.rot90(PATTERN, turns), (30, 40, 500, 700)))


def test_turning_takes_the_box_with_the_picture(on_pattern: CropPage) -> None:
    on_pattern.type_box((100, 50, 300, 200))
    on_pattern.page.click("#right")
    assert on_pattern.box == (HEIGHT - 50 - 200, 100, 200, 300)
    on_pattern.page.click("#left")
    assert on_pattern.box == (100, 50, 300, 200)


def test_zoom_keeps_the_box_on_its_pixels(on_pattern: CropPage) -> None:
    on_pattern.type_box((700, 500, 100, 80))
    for _ in range(4):
        on_pattern.page.click("#zoom-in")
    assert int(on_pattern.page.inner_text("#zoom").removesuffix(" %")) > 100
    assert on_pattern.box == (700, 500, 100, 80)
    on_pattern.page.fill("#box-x", "3")  # out of view: the view follows
    on_pattern.crop()
    assert np.array_equal(on_pattern.shown(), cut(PATTERN, (3, 500, 100, 80)))


def test_reset_brings_the_first_box_back(on_pattern: CropPage) -> None:
    first = on_pattern.box
    on_pattern.page.get_by_role("radio", name="16:9").check(force=True)
    on_pattern.page.click("#right")
    on_pattern.page.click("#reset")
    assert on_pattern.box == first
    expect(on_pattern.page.get_by_role("radio", name="Free")).to_be_checked()


@pytest.mark.parametrize(
    ("kind", "orientation"),
    [("jpeg", 5), ("avif", 6)],  # tests/imaging/test_pixels.py holds every kind and orientation
)
def test_a_photo_turned_by_exif_is_cropped_as_it_is_shown(
    page: CropPage, orientation: int, kind: str
) -> None:
    upright = pictures.photo(400, 280, seed=orientation)
    plain = pictures.oriented(upright, orientation, kind, quality=95)
    page.choose(f"turned.{kind}", plain)
    expect(page.page.locator("#source-facts")).to_contain_text("400 × 280")
    assert np.abs(page.on_stage().astype(int) - upright).mean() < 8
    page.type_box((30, 20, 200, 150))
    page.page.select_option("#format", "png")
    page.crop()
    difference = page.shown().astype(int) - cut(upright, (30, 20, 200, 150))
    assert np.abs(difference).mean() < 5  # what the source's own compression cost


def dense(stored: Image.Image, orientation: int, shown: tuple[int, int]) -> bytes:
    """A JPEG whose resolution makes Chromium show it at the size *shown*, before it is turned."""
    exif = Image.Exif()
    exif[pictures.ORIENTATION] = orientation
    exif[ExifTags.Base.XResolution] = 72 * stored.width / shown[0]
    exif[ExifTags.Base.YResolution] = 72 * stored.height / shown[1]
    exif[ExifTags.Base.ResolutionUnit] = 2
    exif.get_ifd(ExifTags.IFD.Exif).update(dict(zip((40962, 40963), shown, strict=True)))
    return pictures.save(stored, "jpeg", quality=95, exif=exif)


@pytest.mark.parametrize(
    ("orientation", "shown"), [(1, (320, 200)), (1, (400, 640)), (6, (200, 320)), (1, (960, 600))]
)
def test_a_photo_that_its_density_shows_at_another_size_is_cropped_in_its_own_pixels(
    page: CropPage, orientation: int, shown: tuple[int, int]
) -> None:
    upright = pictures.photo(640, 400, seed=3)
    stored = Image.fromarray(upright if orientation == 1 else np.rot90(upright))
    data = dense(stored, orientation, shown)
    page.choose("dense.jpg", data)
    expect(page.page.locator("#source-facts")).to_contain_text("640 × 400")
    page.type_box((30, 20, 500, 300))
    page.page.select_option("#format", "png")
    page.crop()
    difference = page.shown().astype(int) - cut(upright, (30, 20, 500, 300))
    assert np.abs(difference).mean() < 5


def test_several_boxes_are_cropped_from_one_upload(on_pattern: CropPage) -> None:
    boxes = [(0, 0, 300, 200), (500, 100, 64, 64), (10, 600, 1000, 250)]
    on_pattern.type_box(boxes[0])
    for box in boxes[1:]:
        on_pattern.page.click("#add")
        on_pattern.type_box(box)
    expect(on_pattern.page.locator("#submit")).to_have_text("Crop 3 boxes")
    on_pattern.crop()
    for index, box in enumerate(boxes):
        assert np.array_equal(on_pattern.shown(index), cut(PATTERN, box))
    assert len(on_pattern.job()["outputs"]) == 3


def test_boxes_can_be_picked_from_list_and_picture_and_removed(on_pattern: CropPage) -> None:
    on_pattern.type_box((0, 0, 200, 200))
    on_pattern.page.click("#add")
    on_pattern.type_box((800, 600, 300, 200))
    on_pattern.page.get_by_role("button", name="Box 1").click()
    assert on_pattern.box == (0, 0, 200, 200)
    on_pattern.page.locator(".other").click()
    assert on_pattern.box == (800, 600, 300, 200)
    on_pattern.page.click("#remove")
    assert on_pattern.box == (0, 0, 200, 200)
    expect(on_pattern.page.locator("#submit")).to_have_text("Crop")


def test_a_finger_draws_the_box_on_a_phone(stack: Stack, open_page: Open) -> None:
    page = open_page(
        stack.url, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    page.choose("pattern.png", pictures.encode(PATTERN))
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 360
    page.page.evaluate("document.getElementById('stage').scrollIntoView({block: 'center'})")
    before = page.box
    _swipe(page, (0.5, 0.5), (0.46, 0.45))
    after = page.box
    assert after[0] < before[0]
    assert after[1] < before[1]
    page.crop()
    assert np.array_equal(page.shown(), cut(PATTERN, after))


def _swipe(page: CropPage, start: tuple[float, float], end: tuple[float, float]) -> None:
    frame = page.page.locator("#stage").bounding_box()
    assert frame
    points = [
        {"x": frame["x"] + x * frame["width"], "y": frame["y"] + y * frame["height"]}
        for x, y in (start, end)
    ]
    client = page.page.context.new_cdp_session(page.page)
    touch = "Input.dispatchTouchEvent"
    client.send(touch, {"type": "touchStart", "touchPoints": [points[0]]})
    client.send(touch, {"type": "touchMove", "touchPoints": [points[1]]})
    client.send(touch, {"type": "touchEnd", "touchPoints": []})
