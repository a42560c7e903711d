"""<crop-image> on another site's page, under a strict policy: the Flask example in Chromium."""

import hashlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from werkzeug.serving import make_server

from tests import pictures
from tests.browser.crop_page import PATIENCE
from tests.browser.network import Network
from tests.stack import ROOT, Stack, free_port, running

EXAMPLE = ROOT / "examples" / "flask-avatar" / "app.py"
KEY = "the application's key"


@dataclass(frozen=True)
class Site:
    """The example application, and the service that it uses."""

    url: str
    stack: Stack
    module: Any

    def job(self, job_id: str) -> Any:
        headers = {"Authorization": f"Bearer {KEY}"}
        return httpx.get(f"{self.stack.url}/v1/crops/{job_id}", headers=headers).json()


@dataclass
class Visit:
    """A page of the site, and what went wrong on it."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def hear(self, said: ConsoleMessage) -> None:
        if said.type == "error" and "favicon" not in said.location["url"]:
            self.faults.append(said.text)

    def choose(self, name: str, data: bytes) -> None:
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
        self.page.set_input_files("crop-image input", file)  # type: ignore[arg-type]
        expect(self.page.locator("crop-image [part=box]")).to_be_visible(timeout=PATIENCE)

    def box(self) -> list[int]:
        return list(self.page.evaluate("Object.values(document.querySelector('crop-image').box)"))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture(scope="module")
def site(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, port = tmp_path_factory.mktemp("embed"), free_port()
    url = f"http://localhost:{port}"
    keys = f"application:{hashlib.sha256(KEY.encode()).hexdigest()}"
    with ExitStack() as exits:
        exits.enter_context(network.entered())
        patch = exits.enter_context(pytest.MonkeyPatch.context())
        stack = exits.enter_context(running(folder, api_keys=keys, cors_origins=url))
        for name, value in {"CROPSVC_URL": stack.url, "CROPSVC_KEY": KEY}.items():
            patch.setenv(name, value)
        patch.setenv("AVATAR", str(folder / "avatar.webp"))
        module = load(EXAMPLE, patch)
        server = make_server("localhost", port, module.app, threaded=True)
        exits.callback(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(url, stack, module)


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

    def one(path: str = "/", **options: Any) -> Visit:
        page = browser.new_context(**options).new_page()
        page.set_default_timeout(PATIENCE)
        made = Visit(page)
        page.on("pageerror", lambda error: made.faults.append(f"script error: {error}"))
        page.on("console", lambda said: made.hear(said))
        page.goto(site.url + path)
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
