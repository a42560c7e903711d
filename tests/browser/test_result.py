"""After the crop: the picture beside the original, again without an upload, and its own page."""

import hashlib
import time
from collections.abc import Callable

import httpx
import numpy as np
from playwright.sync_api import Request, expect

from tests import pictures
from tests.browser.conftest import Open
from tests.browser.crop_page import CropPage
from tests.stack import Stack, until

MakeStack = Callable[..., Stack]
PATTERN = pictures.pattern(400, 300)


def cropped(page: CropPage) -> CropPage:
    """The page with a result of the pattern on it."""
    page.choose("pattern.png", pictures.encode(PATTERN))
    page.type_box((30, 40, 200, 100))
    page.crop()
    return page


def test_the_result_is_shown_next_to_the_original_with_its_facts(page: CropPage) -> None:
    page.choose("photo.jpg", pictures.jpeg(1000, 800, seed=5))
    page.type_box((0, 0, 250, 200))
    page.crop()
    output = page.job()["outputs"][0]
    facts = page.page.locator("#outputs .facts")
    expect(facts).to_have_text(f"250 × 200 · JPEG · {round(output['bytes'] / 1000)} kB")
    expect(page.page.locator("#outputs .saving")).to_contain_text("% smaller")
    expect(page.page.locator("#stage .cropper-canvas img")).to_be_visible()


def test_the_download_has_the_pictures_name_and_the_apis_bytes(page: CropPage) -> None:
    name, data = cropped(page).downloaded()
    assert name == "pattern-crop.png"
    assert hashlib.sha256(data).hexdigest() == page.job()["outputs"][0]["sha256"]


def test_a_second_crop_sends_no_file(page: CropPage) -> None:
    cropped(page)
    sent: list[bytes] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.post_data_buffer or b"")

    page.page.on("request", note)
    page.type_box((5, 6, 70, 80))
    page.page.click("#again")
    expect(page.page.locator("#outputs .facts")).to_contain_text("70 × 80")
    assert np.array_equal(page.shown(), PATTERN[6:86, 5:75])
    assert len(sent) == 1
    assert b'name="source"' in sent[0]
    assert b'name="image"' not in sent[0]


def test_once_the_upload_has_gone_the_file_is_sent_again(
    make_stack: MakeStack, open_page: Open
) -> None:
    stack = make_stack(source_ttl=1)
    page = cropped(open_page(stack.url))
    link = stack.url + page.job()["links"]["source"]
    until(lambda: httpx.get(link).status_code == 410, seconds=10, what="the upload has gone")
    page.type_box((5, 6, 70, 80))
    page.crop()
    expect(page.page.locator("#outputs .facts")).to_contain_text("70 × 80")
    assert np.array_equal(page.shown(), PATTERN[6:86, 5:75])


def test_a_reload_after_the_upload_has_gone_shows_the_result_and_says_so(
    make_stack: MakeStack, open_page: Open
) -> None:
    stack = make_stack(source_ttl=1)
    page = cropped(open_page(stack.url))
    link = stack.url + page.job()["links"]["source"]
    until(lambda: httpx.get(link).status_code == 410, seconds=10, what="the upload has gone")
    page.page.reload()
    page.await_result()
    expect(page.page.locator("#drop-lead")).to_contain_text("The original is no longer kept")
    expect(page.page.locator("#drop")).to_be_visible()
    assert np.array_equal(page.shown(), PATTERN[40:140, 30:230])


def test_a_reload_shows_the_same_and_can_go_on(page: CropPage) -> None:
    cropped(page)
    page.page.reload()
    page.await_result()
    assert np.array_equal(page.shown(), PATTERN[40:140, 30:230])
    page.await_editor()
    assert page.box == (30, 40, 200, 100)
    page.type_box((50, 60, 20, 10))
    page.page.click("#again")
    expect(page.page.locator("#outputs .facts")).to_contain_text("20 × 10")
    assert np.array_equal(page.shown(), PATTERN[60:70, 50:70])


def test_a_reload_of_a_rotated_crop_shows_the_box_where_it_was(page: CropPage) -> None:
    page.choose("pattern.png", pictures.encode(PATTERN))
    page.page.click("#right")
    page.type_box((10, 20, 250, 300))
    page.crop()
    page.page.reload()
    page.await_result()
    page.await_editor()
    assert page.box == (10, 20, 250, 300)
    page.type_box((11, 21, 250, 300))
    page.page.click("#again")
    expect(page.title).to_have_text("Your crop is ready")
    until(lambda: page.job()["outputs"][0]["region"][0] == 11, seconds=15, what="the second crop")
    page.await_result()
    assert np.array_equal(page.shown(), np.rot90(PATTERN, 3)[21:321, 11:261])


def test_a_link_restores_shape_size_format_quality_and_name(
    page: CropPage, open_page: Open
) -> None:
    page.choose("autumn walk.png", pictures.encode(PATTERN))
    page.page.get_by_role("radio", name="4:5").check(force=True)
    page.type_box((30, 40, 160, 200))
    page.page.fill("#size-w", "80")
    page.page.select_option("#format", "webp")
    page.page.locator("#quality").fill("71")
    page.page.fill("#tilt-value", "-3.25")
    page.crop()
    box = page.box
    other = open_page(page.url, path=page.page.url.removeprefix(page.url))
    for one in (page, other):
        one.page.reload()
        one.await_result()
        one.await_editor()
        expect(one.page.locator("#size-w")).to_have_value("80")
        expect(one.page.locator("#format")).to_have_value("webp")
        expect(one.page.locator("#quality-value")).to_have_text("71")
        expect(one.page.locator("#tilt-value")).to_have_value("-3.25")
        expect(one.page.get_by_role("radio", name="4:5")).to_be_checked()
        assert one.box == box
    other.page.click("#again")
    expect(other.words).to_have_text("Made before, so it came at once.")
    other.await_result()
    assert other.downloaded()[0] == "autumn walk-crop.webp"


def test_a_link_opened_in_another_browser_shows_the_picture(
    page: CropPage, open_page: Open
) -> None:
    cropped(page)
    other = open_page(page.url, path=page.page.url.removeprefix(page.url))
    other.await_result()
    assert np.array_equal(other.shown(), PATTERN[40:140, 30:230])


def test_the_link_is_copied(stack: Stack, open_page: Open) -> None:
    page = cropped(open_page(stack.url, permissions=["clipboard-read", "clipboard-write"]))
    page.page.click("#copy-link")
    expect(page.page.locator("#copy-link")).to_have_text("Copied")
    assert page.page.evaluate("navigator.clipboard.readText()") == page.page.url


def test_recent_crops_are_listed_by_id_alone_with_their_pictures(page: CropPage) -> None:
    cropped(page)
    page.type_box((1, 2, 33, 44))
    page.crop()
    kept = page.page.evaluate("JSON.stringify(localStorage)")
    assert "pattern" not in kept
    page.page.goto(page.url)
    entries = page.page.locator("#recent-list li")
    expect(entries).to_have_count(2)
    expect(entries.first).to_contain_text("33 × 44")
    sides = "img => img.decode().then(() => [img.naturalWidth, img.naturalHeight])"
    assert entries.first.locator("img").evaluate(sides) == [33, 44]
    entries.nth(1).locator("a").click()
    page.await_result()
    assert page.shown().shape == (100, 200, 3)


def test_an_expired_crop_says_so_and_leaves_the_list(
    make_stack: MakeStack, open_page: Open
) -> None:
    stack = make_stack(result_ttl=1)
    page = cropped(open_page(stack.url))
    where = page.page.url
    api = where.replace("/crops/", "/v1/crops/")
    until(lambda: httpx.get(api).status_code == 410, seconds=10, what="the job has expired")
    page.page.reload()
    expect(page.page.get_by_role("heading", level=1)).to_have_text("This crop has expired")
    page.page.goto(page.url)
    until(
        lambda: page.page.evaluate("localStorage.getItem('cropsvc.recent')") == "[]",
        seconds=10,
        what="the list has no expired id",
    )
    expect(page.page.locator("#recent")).to_be_hidden()


def test_an_unknown_and_a_deleted_crop_have_different_pages(page: CropPage) -> None:
    cropped(page)
    where = page.page.url
    httpx.delete(where.replace("/crops/", "/v1/crops/"))
    page.page.goto(where)
    expect(page.page.get_by_role("heading", level=1)).to_have_text("This crop was deleted")
    page.page.goto(page.url + "/crops/never-was")
    expect(page.page.get_by_role("heading", level=1)).to_have_text("There is nothing here")


def test_the_same_crop_again_comes_at_once_and_says_why(page: CropPage) -> None:
    data = pictures.unlike(time.time_ns() % 10**12)
    for _ in range(2):
        page.page.goto(page.url)
        page.choose("same.png", data)
        page.crop()
    expect(page.words).to_have_text("Made before, so it came at once.")


def test_a_page_with_keys_asks_for_one_once(make_stack: MakeStack, open_page: Open) -> None:
    digest = hashlib.sha256(b"open sesame").hexdigest()
    stack = make_stack(api_keys=f"ali:{digest}")
    page = open_page(stack.url)
    page.page.fill("#key", "wrong")
    page.page.get_by_role("button", name="Go on").click()
    expect(page.page.get_by_role("heading", level=1)).to_have_text("Your key, please")
    page.page.fill("#key", "open sesame")
    page.page.get_by_role("button", name="Go on").click()
    cropped(page)
    assert np.array_equal(page.shown(), PATTERN[40:140, 30:230])
