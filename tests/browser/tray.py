"""Measures the page with 200 images of 6 MP in its tray: memory of the tab, frames of scrolling.

Run `python -m tests.browser.tray`; it takes some minutes and is not a test. Memory is what the
renderer has for itself (USS), read while all thumbnails are made and the tray is scrolled. Frames
are the pauses between animation frames, and the processor time of the longest task: the pauses
mean little on a machine that does other work.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from tests import components
from tests.browser.conftest import FLAGS
from tests.browser.crop_page import opened
from tests.browser.screenshots import PHOTO
from tests.stack import running, until

COUNT = 200
STEPS = 150  # of the scrolling, there and back
FRAMES = """() => {
  window.pauses = [];
  let last = performance.now();
  const tick = (now) => {
    window.pauses.push(now - last);
    last = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""
SEEN = "document.querySelectorAll('#tray-list img[src]').length"


def main() -> None:
    """Print the figures."""
    with (
        tempfile.TemporaryDirectory() as directory,
        running(Path(directory) / "stack", worker=False) as stack,
        sync_playwright() as playwright,
    ):
        photos = list(_photos(Path(directory)))
        program = components.require("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = opened(browser, stack.url, viewport={"width": 1280, "height": 800}).page
        page.set_default_timeout(300_000)
        page.set_input_files("#file", photos)
        page.wait_for_selector(".cropper-crop-box", state="visible")
        with _traced(browser, page) as tasks:
            pauses = _scrolled(page)
        memory = _memory()
        until(lambda: page.evaluate(SEEN) == COUNT, seconds=600, what="all thumbnails")
        memory = max(memory, _memory())
        browser.close()
    sys.stdout.write(
        f"{COUNT} images of 6 MP: the tab has {memory / 1e6:.0f} MB; while scrolling, the longest "
        f"pause between frames was {max(pauses):.0f} ms, the longest task took {max(tasks):.0f} ms "
        f"of processor time; load {psutil.getloadavg()[0]:.1f} on {psutil.cpu_count()} CPUs\n"
    )


def _photos(directory: Path) -> Iterator[Path]:
    """The same photo with other bytes behind it, so that the browser cannot share its copies."""
    data = PHOTO.read_bytes()
    for number in range(COUNT):
        path = directory / f"IMG_{number:04}.jpg"
        path.write_bytes(data + number.to_bytes(4, "big"))
        yield path


def _scrolled(page: Page) -> list[float]:
    """Scroll the tray to its end and back; the pauses between frames, in ms."""
    page.evaluate(FRAMES)
    page.hover("#tray-list")
    for step in range(STEPS):
        page.mouse.wheel(240 if step < STEPS // 2 else -240, 0)
        page.wait_for_timeout(50)
    return list(page.evaluate("window.pauses"))


def _memory() -> int:
    """Bytes that the largest renderer has for itself."""
    below = psutil.Process().children(recursive=True)
    return max(one.memory_full_info().uss for one in below if "--type=renderer" in one.cmdline())


@contextmanager
def _traced(browser: Browser, page: Page) -> Iterator[list[float]]:
    """The processor time of each task of the renderer's main thread, in ms."""
    tasks: list[float] = []
    browser.start_tracing(page=page, categories=["toplevel"])
    yield tasks
    events: list[dict[str, Any]] = json.loads(browser.stop_tracing())["traceEvents"]
    named = [one for one in events if one["name"] == "thread_name"]
    mains = {_thread(one) for one in named if one["args"]["name"] == "CrRendererMain"}
    tasks += [one["tdur"] / 1000 for one in events if "tdur" in one and _thread(one) in mains]


def _thread(event: dict[str, Any]) -> tuple[int, int]:
    return event["pid"], event["tid"]


if __name__ == "__main__":
    main()
