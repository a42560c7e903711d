"""Honest words on the way: upload, queue, no worker, server away, cancel; one click, one job."""

import re
import time
from collections.abc import Callable

import httpx
import numpy as np
from playwright.sync_api import Route, expect

from tests import pictures
from tests.browser.conftest import Open
from tests.browser.crop_page import CropPage
from tests.stack import Stack, until

MakeStack = Callable[..., Stack]
PATTERN = pictures.pattern(400, 300)
BOX = (30, 40, 200, 100)
WHOLE = PATTERN[40:140, 30:230]


def started(page: CropPage) -> CropPage:
    """The page after the submit of a box on the pattern."""
    page.choose("pattern.png", pictures.encode(PATTERN))
    page.type_box(BOX)
    page.submit()
    return page


def slow_upload(page: CropPage, bytes_per_second: int) -> None:
    client = page.page.context.new_cdp_session(page.page)
    client.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 0,
            "downloadThroughput": -1,
            "uploadThroughput": bytes_per_second,
        },
    )


def test_without_a_worker_the_page_says_so_and_goes_on_when_one_comes(
    idle_stack: Stack, open_page: Open
) -> None:
    page = started(open_page(idle_stack.url))
    expect(page.title).to_have_text("Waiting in the queue")
    expect(page.words).to_contain_text("No worker is running at the moment", timeout=15_000)
    idle_stack.start_worker()
    page.await_result()
    assert np.array_equal(page.shown(), WHOLE)


def test_a_server_that_goes_away_and_comes_back_ends_in_the_picture(
    idle_stack: Stack, open_page: Open
) -> None:
    page = started(open_page(idle_stack.url))
    expect(page.title).to_have_text("Waiting in the queue")
    idle_stack.kill(idle_stack.web)
    expect(page.words).to_contain_text("The server is away, trying again", timeout=15_000)
    idle_stack.start_web()
    idle_stack.start_worker()
    page.await_result()
    assert np.array_equal(page.shown(), WHOLE)


def test_a_server_that_is_away_at_the_submit_gets_it_later(
    make_stack: MakeStack, open_page: Open
) -> None:
    stack = make_stack()
    page = open_page(stack.url)
    page.choose("pattern.png", pictures.encode(PATTERN))
    stack.kill(stack.web)
    page.type_box(BOX)
    page.submit()
    expect(page.words).to_contain_text("The server is away, trying again")
    stack.start_web()
    page.await_result()
    assert np.array_equal(page.shown(), WHOLE)


def test_the_place_in_the_queue_is_shown(idle_stack: Stack, open_page: Open) -> None:
    for number in range(2):
        httpx.post(f"{idle_stack.url}/v1/crops", files={"image": pictures.unlike(number)})
    page = started(open_page(idle_stack.url))
    expect(page.words).to_have_text("Place 3 in the queue.")


def test_the_bytes_of_the_upload_move_the_bar(page: CropPage) -> None:
    slow_upload(page, 400_000)
    page.choose("noise.png", _noise())
    page.watch_progress()
    page.submit()
    expect(page.words).to_have_text(re.compile(r"\d+ kB of \d+ kB sent|MB sent"))
    page.await_result()
    uploading = [value for step, value in page.progress_seen() if step == "upload"]
    assert len(set(uploading)) >= 3, uploading
    assert uploading == sorted(uploading)


def test_a_crop_canceled_during_the_upload_leaves_no_job(page: CropPage) -> None:
    slow_upload(page, 100_000)
    page.choose("noise.png", _noise())
    page.submit()
    expect(page.words).to_contain_text("sent")
    page.page.click("#cancel")
    expect(page.title).to_have_text("This crop was canceled")
    assert page.page.evaluate("localStorage.getItem('cropsvc.recent')") is None
    assert page.page.url.rstrip("/") == page.url


def test_a_crop_canceled_in_the_queue_never_runs(idle_stack: Stack, open_page: Open) -> None:
    page = started(open_page(idle_stack.url))
    expect(page.title).to_have_text("Waiting in the queue")
    page.page.wait_for_url("**/crops/*")
    page.page.click("#cancel")
    expect(page.title).to_have_text("This crop was canceled")
    assert page.job()["state"] == "canceled"
    page.page.reload()
    expect(page.title).to_have_text("This crop was canceled")


def test_twenty_clicks_make_one_job(page: CropPage) -> None:
    posts: list[str] = []
    page.page.on("request", lambda request: posts.append(request.method))
    page.choose("pattern.png", pictures.unlike(time.time_ns() % 10**12))
    page.page.evaluate("for (let i = 0; i < 20; i++) document.getElementById('submit').click()")
    page.await_result()
    assert posts.count("POST") == 1


def test_a_lost_answer_does_not_make_a_second_job(page: CropPage) -> None:
    answers: list[str] = []

    def lose_the_first(route: Route) -> None:
        response = route.fetch()
        answers.append(response.json()["id"])
        if len(answers) == 1:
            route.abort()
            return
        route.fulfill(response=response)

    page.page.route("**/v1/crops", lose_the_first)
    page.choose("pattern.png", pictures.unlike(time.time_ns() % 10**12))
    page.crop()
    assert len(answers) == 2
    assert answers[0] == answers[1]


def test_two_windows_follow_the_same_job(idle_stack: Stack, open_page: Open) -> None:
    first = started(open_page(idle_stack.url))
    first.page.wait_for_url("**/crops/*")
    second = open_page(idle_stack.url, path="/crops/" + first.page.url.rpartition("/")[2])
    expect(second.title).to_have_text("Waiting in the queue")
    idle_stack.start_worker()
    for page in (first, second):
        page.await_result()
        assert np.array_equal(page.shown(), WHOLE)


def test_a_reload_in_the_queue_loses_nothing(idle_stack: Stack, open_page: Open) -> None:
    page = started(open_page(idle_stack.url))
    page.page.wait_for_url("**/crops/*")
    page.page.reload()
    expect(page.title).to_have_text("Waiting in the queue")
    idle_stack.start_worker()
    page.await_result()
    assert np.array_equal(page.shown(), WHOLE)


def test_a_busy_service_is_asked_again_until_it_takes_the_job(
    make_stack: MakeStack, open_page: Open
) -> None:
    stack = make_stack(worker=False, queue_cap=1)
    httpx.post(f"{stack.url}/v1/crops", files={"image": pictures.unlike(1)})
    page = started(open_page(stack.url))
    expect(page.words).to_contain_text("The service is busy")
    stack.start_worker()
    page.await_result()
    assert np.array_equal(page.shown(), WHOLE)


def test_a_photo_that_breaks_while_decoding_fails_with_a_message(page: CropPage) -> None:
    page.choose("half.jpg", pictures.truncated(pictures.jpeg(900, 700, seed=12)))
    page.submit()
    expect(page.title).to_have_text("This crop failed", timeout=20_000)
    detail = page.job()["error"]["detail"]
    expect(page.words).to_have_text(detail)
    page.page.reload()
    expect(page.words).to_have_text(detail)


def test_the_picture_is_on_screen_soon_after_done(page: CropPage) -> None:
    page.page.evaluate(
        """() => new MutationObserver(() => {
          if (document.querySelector('#outputs img')) window.shownAt ||= Date.now();
        }).observe(document.getElementById('outputs'), {childList: true})"""
    )
    page.choose("photo.jpg", pictures.jpeg(1600, 1200, seed=time.time_ns() % 2**32))
    delays = [_delay(page, left) for left in range(11)]
    assert np.median(delays) <= 300, delays


def _delay(page: CropPage, left: int) -> float:
    page.type_box((left, 0, 1500, 1000))
    page.page.evaluate("window.shownAt = 0")
    page.submit()
    until(lambda: page.page.evaluate("window.shownAt"), seconds=20, what="a picture is shown")
    ended = page.page.evaluate("at => Date.parse(at)", page.job()["ended_at"])
    return float(page.page.evaluate("window.shownAt") - ended)


def _noise() -> bytes:
    pixels = np.random.default_rng(time.time_ns() % 2**32).integers(0, 256, (400, 500, 3))
    return pictures.encode(pixels.astype(np.uint8))
