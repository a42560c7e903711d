"""Makes docs/screenshots/ anew: every state of the page, from a real stack in a real Chromium.

Run by `make screenshots`. Set in Inter, if Debian's fonts-inter is there.
"""

import hashlib
import io
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Route, expect, sync_playwright

from tests import components, pictures
from tests.browser.conftest import FLAGS
from tests.browser.crop_page import CropPage, opened
from tests.browser.test_many import offered
from tests.imaging import ultra_hdr
from tests.stack import Stack, running, until

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "docs" / "screenshots"
PHOTO = ROOT / "tests" / "photos" / "stream-6mp.jpg"
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
SCHEMES = {"": DESKTOP, "-dark": {**DESKTOP, "color_scheme": "dark"}, "-phone": PHONE}
Shoot = Callable[..., None]
BOX = (250, 60, 800, 600)


def main() -> None:
    """Shoot all states."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for shoot in (with_workers, without_worker, while_uploading, gone, keyed, plain):
            shoot(browser)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as playwright:
        path = components.require("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def stack(**settings: object) -> Iterator[Stack]:
    """A stack in a directory of its own."""
    with (
        tempfile.TemporaryDirectory() as directory,
        running(Path(directory) / "stack", **settings) as started,  # type: ignore[arg-type]
    ):
        yield started


def with_workers(browser: Browser) -> None:
    """Choosing, drawing, the result; light, dark and on a phone."""
    with stack() as started:
        journey(opened(browser, started.url, **DESKTOP), "")
        journey(opened(browser, started.url, color_scheme="dark", **DESKTOP), "-dark")
        journey(opened(browser, started.url, **PHONE), "-phone")
        for suffix, options in SCHEMES.items():
            many(opened(browser, started.url, **options), suffix)
            tools(opened(browser, started.url, **options), suffix)
        save(opened(browser, started.url, locale="de", **DESKTOP), "german")
        page = opened(browser, started.url, **DESKTOP)
        page.offer("notes.txt", b"just words")
        expect(page.page.get_by_role("alert")).to_be_visible()
        save(page, "refused")
        page.choose("half.jpg", pictures.truncated(PHOTO.read_bytes()))
        page.submit()
        expect(page.title).to_have_text("This crop failed")
        save(page, "failed")
        page.page.goto(started.url + "/crops/never-was")
        save(page, "unknown")
        running_job(opened(browser, started.url, **DESKTOP))


def journey(page: CropPage, suffix: str) -> None:
    """From the empty page to several results."""
    save(page, f"empty{suffix}")
    page.page.click("#sample")
    page.await_editor()
    page.type_box(BOX)
    save(page, f"editor{suffix}")
    page.page.fill("#size-w", "600")
    page.crop()
    page.page.evaluate("document.activeElement.blur()")
    save(page, f"result{suffix}")
    page.type_box((160, 107, 500, 500))
    page.page.click("#add")
    page.type_box((900, 120, 520, 300))
    page.page.click("#add")
    page.type_box((940, 560, 260, 390))
    save(page, f"boxes{suffix}")
    page.page.fill("#size-w", "")
    page.crop()
    save(page, f"results{suffix}", full=True)
    page.page.goto(page.url)
    page.page.wait_for_load_state("networkidle")
    save(page, f"recent{suffix}", full=True)


def many(page: CropPage, suffix: str) -> None:
    """A batch: the tray, on its way, with one that failed, and after a closed tab."""
    with Image.open(PHOTO) as photo:
        tiles = [photo.crop((x, y, x + 900, y + 700)) for x in range(0, 2000, 400)
                 for y in range(0, 1000, 500)]  # fmt: skip
    files = [(f"IMG_{i:04}.jpg", pictures.save(tile, "jpeg")) for i, tile in enumerate(tiles)]
    offered(page, files)
    page.page.get_by_role("radio", name="4:5").check(force=True)
    page.page.fill("#size-w", "400")
    save(page, f"many{suffix}")
    waiting: list[Route] = []
    page.page.route("**/v1/crops", lambda route: waiting.append(route))
    page.submit()
    expect(page.page.locator("#tray-list [data-state=sending]")).to_have_count(4)
    waiting.pop().fulfill(status=422, body='{"detail": "The file is broken."}')
    waiting.pop().continue_()
    expect(page.page.locator("#tray-list [data-state=done]")).to_have_count(1)
    save(page, f"many-running{suffix}")
    page.page.goto("about:blank")
    page.page.unroute_all()
    page.page.goto(page.url)
    expect(page.page.locator("#batch-text")).to_contain_text("Choose the other")
    save(page, f"many-again{suffix}", full=True)
    kind = "image/jpeg"
    payload = [{"name": name, "mimeType": kind, "buffer": data} for name, data in files]
    page.page.set_input_files("#file", payload)  # type: ignore[arg-type]  # FilePayloads
    expect(page.page.locator("#batch-title")).to_contain_text(re.compile("All .* are cropped"))
    save(page, f"many-done{suffix}", full=True)


def tools(page: CropPage, suffix: str) -> None:
    """The preview by the service, the horizon, a comparison, and a note with its cure."""
    page.page.route("**/v1/crops", lambda route: None, times=1)
    page.offer("scan.tiff", pictures.encode(pictures.photo(60, 50), "tiff"))
    expect(page.page.locator("#preparing")).to_be_visible()
    save(page, f"preparing{suffix}")
    page.page.unroute_all()
    page.page.goto(page.url)
    page.page.click("#sample")
    page.await_editor()
    page.page.click("#horizon")
    frame = page.page.locator("#stage").bounding_box()
    assert frame
    page.page.mouse.move(frame["x"] + frame["width"] * 0.2, frame["y"] + frame["height"] * 0.45)
    page.page.mouse.down()
    page.page.mouse.move(frame["x"] + frame["width"] * 0.8, frame["y"] + frame["height"] * 0.5)
    save(page, f"horizon{suffix}")
    page.page.mouse.up()
    page.page.select_option("#format", "jpeg")
    page.crop()
    page.page.click(".compare-with")
    page.page.locator(".compare canvas").scroll_into_view_if_needed()
    save(page, f"comparison{suffix}")
    page.choose("phone.jpg", ultra_hdr.photo((640, 480)))
    page.crop()
    page.page.locator("#outputs .keep").scroll_into_view_if_needed()
    save(page, f"note{suffix}")


def running_job(page: CropPage) -> None:
    """The bar while the crop is made: a large picture to a slow format."""
    page.choose("stream.jpg", PHOTO.read_bytes())
    page.page.select_option("#format", "avif")
    page.submit()
    expect(page.title).to_have_text("Cropping", timeout=15_000)
    save(page, "cropping")
    page.page.click("#cancel")
    expect(page.title).to_have_text("This crop was canceled")
    save(page, "canceled")


def without_worker(browser: Browser) -> None:
    """The queue, no worker, and the server away."""
    with stack(worker=False) as started:
        page = opened(browser, started.url, **DESKTOP)
        page.choose("stream.jpg", PHOTO.read_bytes())
        page.submit()
        expect(page.words).to_contain_text("in the queue")
        save(page, "queued")
        expect(page.words).to_contain_text("No worker", timeout=15_000)
        save(page, "no-worker")
        started.kill(started.web)
        expect(page.words).to_contain_text("away", timeout=15_000)
        save(page, "server-away")


def while_uploading(browser: Browser) -> None:
    """The bytes of the upload, on a slow line."""
    with stack() as started:
        page = opened(browser, started.url, **DESKTOP)
        slow = {
            "offline": False,
            "latency": 0,
            "downloadThroughput": -1,
            "uploadThroughput": 800_000,
        }
        client = page.page.context.new_cdp_session(page.page)
        client.send("Network.emulateNetworkConditions", slow)
        page.choose("stream.jpg", PHOTO.read_bytes())
        page.submit()
        half = "document.getElementById('progress').ariaValueNow > 14"
        until(lambda: page.page.evaluate(half), seconds=30, what="half of the upload")
        save(page, "uploading")


def gone(browser: Browser) -> None:
    """A crop that has expired."""
    with stack(result_ttl=1) as started:
        page = opened(browser, started.url, **DESKTOP)
        page.page.click("#sample")
        page.await_editor()
        page.crop()
        link = page.page.url
        ended = "This crop has expired"
        until(lambda: ended in page.page.request.get(link).text(), seconds=15, what=ended)
        page.page.reload()
        save(page, "expired")


def keyed(browser: Browser) -> None:
    """The question for the key."""
    digest = hashlib.sha256(b"key").hexdigest()
    with stack(worker=False, api_keys=f"ali:{digest}") as started:
        save(opened(browser, started.url, **DESKTOP), "key")


def plain(browser: Browser) -> None:
    """The form and the result without JavaScript."""
    with stack() as started:
        page = opened(browser, started.url, java_script_enabled=False, **DESKTOP)
        save(page, "plain")
        page.page.get_by_role("button", name="Try it with the sample image").click()
        expect(page.page.locator("#outputs img")).to_be_visible(timeout=15_000)
        save(page, "plain-result")


def save(page: CropPage, name: str, *, full: bool = False) -> None:
    """Shoot the page as docs/screenshots/<name>.webp."""
    page.page.wait_for_timeout(250)  # transitions of colour and width end
    with Image.open(io.BytesIO(page.page.screenshot(full_page=full))) as image:
        image.convert("RGB").save(TARGET / f"{name}.webp", quality=50, method=6)
    sys.stdout.write(f"{name}.webp\n")


if __name__ == "__main__":
    main()
