"""axe-core on every state of the page, light and dark; the keyboard alone; a narrow phone."""

import hashlib
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import pictures
from tests.browser.conftest import Open
from tests.browser.crop_page import CropPage
from tests.stack import Stack

MakeModuleStack = Callable[..., Stack]
SCHEMES = ["light", "dark"]


@pytest.fixture(scope="module")
def idle(make_module_stack: MakeModuleStack) -> Stack:
    """A stack without a worker, whose jobs stay in the queue."""
    return make_module_stack(worker=False)


@pytest.fixture(params=SCHEMES)
def themed(request: pytest.FixtureRequest, stack: Stack, open_page: Open) -> CropPage:
    """The front page in one of the colour schemes."""
    return open_page(stack.url, color_scheme=request.param)


def edited(page: CropPage) -> CropPage:
    page.choose("photo.jpg", pictures.jpeg(seed=9))
    return page


def test_the_empty_page_has_no_violation(themed: CropPage) -> None:
    assert themed.violations() == []


def test_the_editor_has_no_violation(themed: CropPage) -> None:
    edited(themed)
    themed.page.click("#add")
    themed.page.get_by_role("radio", name="Custom").check(force=True)
    themed.page.locator("#lock").uncheck(force=True)
    themed.page.fill("#size-w", "100")
    themed.page.fill("#size-h", "100")
    themed.page.locator("details summary").click()
    assert themed.violations() == []


def test_a_refused_file_has_no_violation(themed: CropPage) -> None:
    themed.offer("notes.txt", b"just words")
    expect(themed.page.get_by_role("alert")).to_be_visible()
    assert themed.violations() == []


def test_the_result_and_the_list_have_no_violation(themed: CropPage) -> None:
    edited(themed).crop()
    themed.page.click("#add")
    themed.crop()
    expect(themed.page.locator("#recent")).to_be_visible()
    assert themed.violations() == []


def test_the_failed_job_has_no_violation(themed: CropPage) -> None:
    themed.choose("half.jpg", pictures.truncated(pictures.jpeg(900, 700, seed=13)))
    themed.submit()
    expect(themed.title).to_have_text("This crop failed")
    assert themed.violations() == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_job_that_waits_has_no_violation(idle: Stack, open_page: Open, scheme: str) -> None:
    page = edited(open_page(idle.url, color_scheme=scheme))
    page.submit()
    expect(page.words).to_contain_text("in the queue")
    assert page.violations() == []
    expect(page.words).to_contain_text("No worker is running", timeout=15_000)
    assert page.violations() == []
    page.page.route("**/v1/crops/**", lambda route: route.abort())
    expect(page.words).to_contain_text("The server is away", timeout=15_000)
    assert page.violations() == []
    page.page.unroute_all()
    page.page.click("#cancel")
    expect(page.title).to_have_text("This crop was canceled")
    assert page.violations() == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_pages_of_errors_and_of_the_key_have_no_violation(
    make_module_stack: MakeModuleStack, idle: Stack, open_page: Open, scheme: str
) -> None:
    assert open_page(idle.url, path="/crops/no", color_scheme=scheme).violations() == []
    digest = hashlib.sha256(b"key").hexdigest()
    keyed = make_module_stack(worker=False, api_keys=f"ali:{digest}")
    assert open_page(keyed.url, color_scheme=scheme).violations() == []


def test_the_keyboard_alone_is_enough(page: CropPage) -> None:
    keyboard = page.page.keyboard
    tab_to(page, "Try the sample")
    keyboard.press("Enter")
    page.await_editor()
    expect(page.page.locator("#stage")).to_be_focused()
    keyboard.press("Shift+ArrowRight")
    tab_to(page, "Crop")
    keyboard.press("Enter")
    page.await_result()
    tab_to(page, "Download the cropped image")
    with page.page.expect_download():
        keyboard.press("Enter")


def test_changes_are_announced_to_screen_readers(page: CropPage) -> None:
    live = page.page.get_by_role("status").last
    edited(page)
    expect(live).to_have_text("photo.jpg, 640 by 480 pixels. Set the box, then crop.")
    page.type_box((10, 20, 300, 200))
    page.press("ArrowRight")
    expect(live).to_have_text("Box 300 by 200 pixels, at 11, 20.")
    page.crop()
    expect(live).to_have_text("The crop is ready.")


@pytest.mark.parametrize("state", ["empty", "editor", "result"])
def test_a_phone_of_360_pixels_shows_all_without_scrolling_sideways(
    stack: Stack, open_page: Open, state: str
) -> None:
    page = open_page(stack.url, viewport={"width": 360, "height": 740})
    if state != "empty":
        edited(page)
    if state == "result":
        page.crop()
    assert page.page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.violations() == []


def test_reduced_motion_is_respected(idle: Stack, open_page: Open) -> None:
    page = edited(open_page(idle.url, reduced_motion="reduce"))
    page.submit()
    expect(page.words).to_contain_text("in the queue")
    running = "document.getAnimations().filter(one => one.playState === 'running').length"
    assert page.page.evaluate(running) == 0


def tab_to(page: CropPage, name: str) -> None:
    """Press Tab until what has this label, text, id or name is focused."""
    script = """() => {
      const {ariaLabel, textContent, id, name} = document.activeElement;
      return [ariaLabel, textContent.trim(), id, name];
    }"""
    for _ in range(90):
        page.page.keyboard.press("Tab")
        if name in page.page.evaluate(script):
            return
    raise AssertionError(f"no Tab stop named {name!r}")
