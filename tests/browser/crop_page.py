"""What a person does on the page, and what they see there."""

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from tests import pictures
from tests.pictures import Pixels
from tests.stack import BESIDE_OTHERS

Box = tuple[int, int, int, int]

PATIENCE = 20_000 * (4 if BESIDE_OTHERS else 1)  # ms; as `until` has it
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
FIELDS = ("#box-x", "#box-y", "#box-w", "#box-h")
SHOWN = """async img => {
  await img.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [img.naturalWidth, img.naturalHeight];
  canvas.getContext('2d').drawImage(img, 0, 0);
  return canvas.toDataURL('image/png').split(',')[1];
}"""
DROP = """([name, data, kind]) => {
  const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name));
  const event = kind === 'paste'
    ? new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true, cancelable: true})
    : new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true});
  document.body.dispatchEvent(event);
}"""
WATCH = """() => {
  window.seen = [];
  const look = () => {
    const job = document.getElementById('job');
    const bar = document.getElementById('progress');
    if (job.hidden || bar.hidden) return;
    seen.push([bar.dataset.step, Number(bar.getAttribute('aria-valuenow'))]);
  };
  new MutationObserver(look).observe(document.getElementById('job'),
    {attributes: true, subtree: true, childList: true});
}"""


@dataclass
class CropPage:
    """One page of the service in a browser."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # shown where a test fails: a script may be lost

    # choosing

    def choose(self, name: str, data: bytes) -> None:
        """Choose this file, and wait for the box on it."""
        self.offer(name, data)
        self.await_editor()

    def offer(self, name: str, data: bytes) -> None:
        """Choose this file."""
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
        self.page.set_input_files("#file", file)  # type: ignore[arg-type]  # a FilePayload

    def hand_in(self, name: str, data: bytes, *, kind: str) -> None:
        """Drop or paste this file."""
        self.page.evaluate(DROP, [name, base64.b64encode(data).decode(), kind])

    def await_editor(self) -> None:
        """Wait until the box can be drawn."""
        expect(self.page.locator(".cropper-crop-box")).to_be_visible(timeout=PATIENCE)
        expect(self.page.locator("#box-w")).not_to_have_value("")

    # the box

    @property
    def box(self) -> Box:
        """What stands in the fields."""
        x, y, width, height = (int(self.page.input_value(field)) for field in FIELDS)
        return x, y, width, height

    def type_box(self, box: Box) -> None:
        """Fill the fields, size first so that nothing is clamped on the way."""
        for selector, value in zip(FIELDS[2:] + FIELDS[:2], box[2:] + box[:2], strict=True):
            self.page.fill(selector, str(value))

    def press(self, keys: str, *, times: int = 1) -> None:
        """Press keys on the stage."""
        self.page.focus("#stage")
        for _ in range(times):
            self.page.keyboard.press(keys)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag the mouse between two points of the stage, in fractions of its sides."""
        frame = self.page.locator("#stage").bounding_box()
        assert frame
        points = [(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"])
                  for x, y in (start, end)]  # fmt: skip
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        self.page.mouse.move(*points[1], steps=100)  # a real mouse does not jump
        self.page.mouse.up()

    # the crop

    def submit(self) -> None:
        """Press the button."""
        self.page.click("#submit")

    def crop(self) -> None:
        """Press the button and wait for the picture."""
        self.submit()
        self.await_result()

    def await_result(self) -> None:
        """Wait until the pictures are shown."""
        expect(self.title).to_have_text(re.compile("(crop is|crops are) ready"), timeout=PATIENCE)
        expect(self.page.locator("#outputs .picture img").first).to_be_visible()

    def shown(self, index: int = 0) -> Pixels:
        """The pixels of the result that the page shows."""
        image = self.page.locator("#outputs .picture img").nth(index)
        return pictures.decode(base64.b64decode(image.evaluate(SHOWN)))[..., :3]

    def on_stage(self) -> Pixels:
        """The pixels of the picture under the box."""
        image = self.page.locator(".cropper-canvas img")
        return pictures.decode(base64.b64decode(image.evaluate(SHOWN)))[..., :3]

    def downloaded(self, index: int = 0) -> tuple[str, bytes]:
        """The file that the download link gives: its name and bytes."""
        with self.page.expect_download() as waiting:
            self.page.locator("#outputs .download").nth(index).click()
        return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()

    def job(self) -> dict[str, Any]:
        """The job that the page's address names, from the API."""
        job_id = self.page.url.split("/crops/")[1].split("#")[0]
        return dict(self.page.request.get(f"{self.url}/v1/crops/{job_id}").json())

    def watch_progress(self) -> None:
        """Note every state of the bar from now on."""
        self.page.evaluate(WATCH)

    def progress_seen(self) -> list[tuple[str, int]]:
        """The steps and percentages that the bar showed, in order."""
        return [(step, value) for step, value in self.page.evaluate("seen")]

    @property
    def title(self) -> Any:
        """The job card's heading."""
        return self.page.locator("#job-title")

    @property
    def words(self) -> Any:
        """The job card's sentence."""
        return self.page.locator("#job-words")

    # accessibility

    def violations(self) -> list[str]:
        """What axe-core finds, run inside the page so that its CSP stays in force."""
        self.page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"]
            for node in one["nodes"]
        ]


def opened(browser: Browser, url: str, *, path: str = "/", **options: Any) -> CropPage:
    """A new page at this service, whose faults are noted."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    crop_page = CropPage(context.new_page(), url)
    _note_faults(crop_page)
    crop_page.page.goto(url + path)
    return crop_page


def _note_faults(page: CropPage) -> None:
    def console(message: ConsoleMessage) -> None:
        page.told.append(message.text)
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            page.faults.append(message.text)

    def request(request: Request) -> None:
        if not request.url.startswith((page.url, "blob:", "data:")):
            page.faults.append(f"a foreign request: {request.url}")

    page.page.on("console", console)
    page.page.on("pageerror", lambda error: page.faults.append(f"script error: {error}"))
    page.page.on("request", request)
    page.page.on("requestfailed", lambda lost: page.told.append(f"{lost.url}: {lost.failure}"))
