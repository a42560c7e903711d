"""<crop-image> on another site's page, under a strict policy: the Flask example in Chromium."""

import base64
import hashlib
import importlib.util
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from flask import Response
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from werkzeug.serving import make_server

from tests import pictures
from tests.browser.crop_page import AXE, PATIENCE
from tests.browser.firefox import firefox
from tests.browser.network import Network
from tests.stack import ROOT, Stack, free_port, running

TUTORIAL = ROOT / "docs" / "tutorial.md"
EXAMPLE = ROOT / "examples" / "flask-avatar" / "app.py"
KEY = "the application's key"


@dataclass(frozen=True)
class Site:
    """The example application, and the service that it uses."""

    url: str
    tutorial: str  # the URL of its application
    stack: Stack

    def job(self, job_id: str) -> Any:
        headers = {"Authorization": f"Bearer {KEY}"}
        return httpx.get(f"{self.stack.url}/v1/crops/{job_id}", headers=headers).json()


@dataclass
class Visit:
    """A page of the site, and what went wrong on it."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def hear(self, said: ConsoleMessage) -> None:
        if said.type == "error" and not said.location["url"].endswith(
            ("/favicon.ico", "/avatar.webp")
        ):
            self.faults.append(said.text)

    def crop(self) -> None:
        self.page.get_by_role("button", name="Crop").click()
        expect(self.page.get_by_role("img", name="The cropped image")).to_be_visible()

    def choose(self, name: str, data: bytes) -> None:
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
        self.page.set_input_files("crop-image input", file)  # type: ignore[arg-type]
        expect(self.page.locator("crop-image [part=box]")).to_be_visible(timeout=PATIENCE)

    def box(self) -> list[int]:
        return list(self.page.evaluate("Object.values(document.querySelector('crop-image').box)"))

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of a 900x600 image is on the screen."""
        frame = self.page.locator("crop-image [part=image]").bounding_box()
        assert frame
        return frame["x"] + x / 900 * frame["width"], frame["y"] + y / 600 * frame["height"]

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.page.mouse.move(*self.point(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.point(*end), steps=3)
        self.page.mouse.up()

    def violations(self) -> list[str]:
        """What axe-core finds in the component."""
        found = self.page.evaluate("axe.run('crop-image', {resultTypes: ['violations']})")
        return [f"{one['id']}: {one['nodes'][0]['failureSummary']}" for one in found["violations"]]

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture(scope="module")
def site(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, ports = tmp_path_factory.mktemp("embed"), (free_port(), free_port())
    urls = [f"http://localhost:{port}" for port in ports]
    keys = f"application:{hashlib.sha256(KEY.encode()).hexdigest()}"
    with ExitStack() as exits:
        exits.enter_context(network.entered())
        patch = exits.enter_context(pytest.MonkeyPatch.context())
        stack = exits.enter_context(running(folder, api_keys=keys, cors_origins=",".join(urls)))
        (folder / "static").mkdir()
        patch.chdir(folder)
        for name, value in {"CROPSVC_URL": stack.url, "CROPSVC_KEY": KEY}.items():
            patch.setenv(name, value)
        app = load(EXAMPLE, patch).app
        client = (ROOT / "clients" / "js" / "index.js").read_text(encoding="utf-8")
        for path, text, kind in (("/blank", "", "html"), ("/client.js", client, "javascript")):
            app.add_url_rule(path, path, partial(Response, text, mimetype=f"text/{kind}"))
        for port, one in zip(ports, (app, tutorial_app(stack.url)), strict=True):
            server = make_server("localhost", port, one, threaded=True)
            exits.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(*urls, stack)


def tutorial_app(service: str) -> Any:
    """The application of the tutorial, with this service and our key."""
    found = re.search(r"```python\n(.*?)```", TUTORIAL.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    assert len(found[1].splitlines()) <= 30
    client = f'Client("{service}", key="{KEY}")'
    code = found[1].replace('Client("http://localhost:5000")', client)
    names = {"__name__": "tutorial"}
    exec(compile(code.replace("http://localhost:5000", service), "app.py", "exec"), names)
    return names["app"]


def load(path: Path, patch: pytest.MonkeyPatch) -> Any:
    """The program as a module; Flask looks for its templates beside it."""
    spec = importlib.util.spec_from_file_location("avatar", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    patch.setitem(sys.modules, "avatar", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[..., Visit]]:
    """`visit(**context options)`: a page of the site; at the end none may have met a fault."""
    visits: list[Visit] = []

    def one(path: str = "/", at: str = site.url, **options: Any) -> Visit:
        page = browser.new_context(**options).new_page()
        page.set_default_timeout(PATIENCE)
        made = Visit(page)
        page.on("pageerror", lambda error: made.faults.append(f"script error: {error}"))
        page.on("console", lambda said: made.hear(said))
        page.goto(at + path)
        visits.append(made)
        return made

    yield one
    for made in visits:
        made.page.context.close()
    assert [fault for made in visits for fault in made.faults] == []


def test_a_user_crops_an_avatar_by_keyboard_and_the_application_fetches_it(
    site: Site, visit: Callable[..., Visit]
) -> None:
    here, photo = visit(), pictures.photo(900, 600)
    here.choose("me.png", pictures.encode(photo))
    assert here.box() == [150, 0, 600, 600]
    here.press("Shift+ArrowLeft", "Alt+Shift+ArrowLeft", "Alt+ArrowUp", "ArrowDown")
    assert here.box() == [140, 1, 589, 589]
    here.press("Tab", "Tab", "Tab", "Tab", "Enter")  # over the tools to the button
    expect(here.page.get_by_role("img", name="The cropped image")).to_be_visible()
    job_id = here.page.evaluate("new FormData(document.forms[0]).get('avatar')")
    here.page.get_by_role("button", name="Save").click()
    expect(here.page.get_by_role("img", name="Your avatar")).to_be_visible()

    output = site.job(job_id)["outputs"][0]
    assert output["region"] == [140, 1, 589, 589]
    avatar = pictures.decode(httpx.get(f"{site.url}/avatar").content).astype(int)
    wanted = Image.fromarray(photo[1:590, 140:729]).resize((256, 256))
    assert abs(avatar - np.asarray(wanted)).mean() < 4


def test_the_tutorials_thirty_lines_crop_an_avatar(site: Site, visit: Callable[..., Visit]) -> None:
    here = visit(at=site.tutorial)
    here.choose("me.png", pictures.encode(pictures.photo(900, 600)))
    here.crop()
    here.page.get_by_role("button", name="Save").click()
    here.page.wait_for_function("document.querySelector('img')?.naturalWidth === 256")


def near(found: list[int], wanted: list[int]) -> bool:
    """Whether the boxes differ by less than two screen pixels."""
    return all(abs(a - b) <= 4 for a, b in zip(found, wanted, strict=True))


def test_mouse_and_fingers_move_the_box_as_on_the_page(visit: Callable[..., Visit]) -> None:
    here = visit(viewport={"width": 900, "height": 900}, has_touch=True)
    here.choose("me.png", pictures.encode(pictures.photo(900, 600)))
    here.drag((450, 300), (500, 330))
    assert near(here.box(), [200, 0, 600, 600])
    here.drag((205, 595), (405, 395))  # the corner south-west keeps the ratio
    assert near(here.box(), [400, 0, 400, 400])
    here.page.mouse.click(*here.point(200, 300))  # for those who cannot drag
    assert near(here.box(), [0, 100, 400, 400])
    here.page.evaluate("document.querySelector('crop-image').removeAttribute('size')")
    here.drag((800, 500), (500, 400))  # outside the box: a new one
    assert near(here.box(), [500, 400, 300, 100])
    here.drag((650, 500), (650, 2000))  # no further than the image
    assert near(here.box(), [500, 400, 300, 200])

    before, image = here.box(), here.page.locator("crop-image [part=image]")
    width = image.bounding_box()["width"]  # type: ignore[index]
    fingers = here.page.context.new_cdp_session(here.page)
    (x, y), far = here.point(650, 450), 20
    for kind in ("touchStart", "touchMove", "touchMove"):
        points = [{"x": x - far, "y": y, "id": 0}, {"x": x + far, "y": y, "id": 1}]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        far += 20
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert image.bounding_box()["width"] == pytest.approx(3 * width, rel=0.01)  # type: ignore[index]
    assert here.box() == before


DROP = """() => {
  const element = document.querySelector("crop-image"), transfer = new DataTransfer();
  element.reset();
  element.setAttribute("preset", "classic"); // 300x300
  transfer.items.add(window.chosen);
  element.shadowRoot.querySelector("[part=drop]").dispatchEvent(
    new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


def test_a_dropped_image_gets_the_shape_of_the_preset(visit: Callable[..., Visit]) -> None:
    here = visit()
    here.choose("me.png", pictures.encode(pictures.photo(900, 600)))
    here.page.evaluate("document.querySelector('crop-image').removeAttribute('size')")
    here.page.evaluate("window.chosen = document.querySelector('crop-image').file")
    here.page.evaluate(DROP)
    expect(here.page.locator("crop-image [part=box]")).to_be_visible()
    assert here.box() == [150, 0, 600, 600]


def test_a_canceled_upload_can_be_started_again(visit: Callable[..., Visit]) -> None:
    here = visit()
    here.choose("me.png", pictures.encode(pictures.photo(900, 600)))
    here.page.route("**/v1/crops", lambda route: None)  # never answered
    here.page.get_by_role("button", name="Crop").click()
    expect(here.page.get_by_role("button", name="Cancel")).to_be_focused()
    here.page.keyboard.press("Enter")
    expect(here.page.get_by_role("button", name="Crop")).to_be_focused()
    here.page.unroute("**/v1/crops")
    here.crop()


LOAD = """async ([data, name]) => {
  const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
  const element = document.querySelector("crop-image");
  await element.load(new File([bytes], name));
  const canvas = element.shadowRoot.querySelector("[part=image]");
  return [canvas.width, canvas.height, ...canvas.getContext("2d").getImageData(3, 3, 1, 1).data];
}"""


def test_the_stage_shows_an_image_upright(visit: Callable[..., Visit]) -> None:
    here, pixels = visit(), np.zeros((60, 40, 3), np.uint8)
    pixels[:20, :20] = (250, 0, 0)
    for kind in ("jpeg", "webp"):
        data = base64.b64encode(pictures.oriented(pixels, 6, kind)).decode()
        width, height, red, *_ = here.page.evaluate(LOAD, [data, "a"])
        assert (width, height) == (40, 60), kind
        assert red > 200, kind


FLOW = """async () => {
  const element = document.querySelector("crop-image"), seen = { stages: [], parts: [] };
  element.setAttribute("submit-as", "file");
  document.addEventListener("progress", ({ detail }) => {
    seen.stages.push(detail.stage);
    seen.parts.push(detail.progress);
  });
  document.addEventListener("change", () => { seen.changed = true; });
  const detail = await element.crop();
  const sent = new FormData(document.forms[0]).get("avatar");
  const shown = await fetch(detail.url);
  Object.assign(seen, {
    name: sent.name, type: sent.type, same: sent.size === element.value.size,
    state: detail.job.state, shown: shown.headers.get("Content-Type"),
    valid: element.checkValidity(),
  });
  document.forms[0].reset();
  return { ...seen, value: element.value, validAfter: element.checkValidity() };
}"""


def test_events_and_the_form_get_what_the_documentation_says(
    visit: Callable[..., Visit],
) -> None:
    here = visit()
    assert here.page.evaluate("document.forms[0].checkValidity()") is False
    here.choose("me.photo.png", pictures.encode(pictures.photo(900, 600)))
    assert here.page.evaluate("document.forms[0].checkValidity()") is False
    seen = here.page.evaluate(FLOW)

    assert (seen.pop("stages")[0], seen.pop("parts")[-1]) == ("uploading", 1)
    assert seen == {
        "changed": True, "name": "me.photo.webp", "type": "image/webp", "same": True,
        "state": "done", "shown": "image/webp", "valid": True, "value": None, "validAfter": False,
    }  # fmt: skip


PROBLEM = """async (parameters) => {
  const element = document.querySelector("crop-image");
  Object.entries(parameters).forEach((pair) => element.setAttribute(...pair));
  const problem = new Promise((resolve) => element.addEventListener("problem",
    ({ detail }) => resolve(detail), { once: true }));
  await element.crop();
  return problem;
}"""


def test_a_problem_is_shown_and_the_user_can_try_again(
    site: Site, visit: Callable[..., Visit]
) -> None:
    here = visit()
    here.page.set_input_files(
        "crop-image input", {"name": "a.txt", "mimeType": "", "buffer": b"no image"}
    )
    expect(here.page.get_by_role("alert")).to_have_text(
        "\u201ca.txt\u201d is not an image that can be used here."
    )
    here.choose("me.png", pictures.encode(pictures.photo(900, 600)))
    told = here.page.evaluate(PROBLEM, {"max-bytes": "5000"})
    assert (told["status"], told["code"], told["errors"][0]["field"]) == (
        403, "out-of-scope", "max_bytes",
    )  # fmt: skip
    expect(here.page.get_by_role("alert")).to_contain_text("this token does not allow it")
    assert here.page.evaluate(PROBLEM, {"key-url": "/away"})["status"] == 404
    here.faults.clear()  # Chromium reports each 4xx
    here.page.evaluate("document.querySelector('crop-image').removeAttribute('max-bytes')")
    here.page.evaluate(
        "document.querySelector('crop-image').setAttribute('key-url', '/crop-token')"
    )
    here.crop()
    expect(here.page.get_by_role("alert")).to_have_count(0)


def test_axe_finds_nothing(visit: Callable[..., Visit]) -> None:
    here = visit()
    here.page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
    assert here.violations() == []
    here.choose("me.png", pictures.encode(pictures.photo(900, 600)))
    assert here.violations() == []
    here.crop()
    assert here.violations() == []


CLIENT = """async ([service, data]) => {
  const { CropClient, CropError } = await import("/client.js");
  const { token } = await (await fetch("/crop-token")).json();
  const client = new CropClient(service, { key: token }), parts = [], kinds = [];
  const file = new Blob([Uint8Array.from(atob(data), (char) => char.charCodeAt(0))]);
  const onProgress = (part) => parts.push(part);
  const job = await client.submit(file, { box: [0, 0, 30, 30] }, { onProgress });
  for await (const { kind } of client.events(job)) kinds.push(kind);
  const blob = await client.image(await client.wait(job));
  const image = new Image();
  image.src = client.urlOf(job);
  await image.decode();
  const refused = await client.delete(job).catch((error) => error);
  return {
    last: kinds.at(-1), parts, type: blob.type, width: image.naturalWidth,
    refused: [refused instanceof CropError, refused.status, refused.code],
  };
}"""


def test_the_javascript_client_works_in_a_browser_on_another_site(
    site: Site, visit: Callable[..., Visit]
) -> None:
    here = visit("/blank")
    data = base64.b64encode(pictures.png(90, 60)).decode()

    assert here.page.evaluate(CLIENT, [site.stack.url, data]) == {
        "last": "done", "parts": [0, 1], "type": "image/webp", "width": 256,
        "refused": [True, 403, "out-of-scope"],
    }  # fmt: skip
    here.faults.clear()  # Chromium reports the 403


IN_FIREFOX = """return (async () => {
  const bytes = Uint8Array.from(atob("%s"), (char) => char.charCodeAt(0));
  const element = document.querySelector("crop-image");
  await element.load(new File([bytes], "a.jpg"));
  const canvas = element.shadowRoot.querySelector("[part=image]");
  const red = canvas.getContext("2d").getImageData(3, 3, 1, 1).data[0];
  element.shadowRoot.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowDown"}));
  const { x, y, w, h } = element.box;
  const detail = await element.crop();
  const sent = new FormData(document.forms[0]).get("avatar");
  return { red: red > 200, box: [x, y, w, h], isSent: sent === detail.job.id,
    state: detail.job.state, type: detail.blob.type };
})()"""


def test_it_works_in_firefox(site: Site, tmp_path: Path, require: Callable[[str], str]) -> None:
    pixels = np.zeros((60, 40, 3), np.uint8)
    pixels[:20, :20] = (250, 0, 0)
    data = base64.b64encode(pictures.oriented(pixels, 6, "jpeg")).decode()
    with firefox(require("firefox"), tmp_path) as window:
        window.open(site.url)
        seen = window.run(IN_FIREFOX % data)

    assert seen == {
        "red": True, "box": [4, 15, 32, 32], "isSent": True, "state": "done", "type": "image/webp",
    }  # fmt: skip
