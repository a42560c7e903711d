"""What the browser shows is what gets cropped: generated files, drawn by Chromium and cropped.

A new file is one line in tests/as_shown/. The crops are made in this process, without a service.
"""

import base64
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Page, Playwright

from cropsvc.imaging.params.parser import parse
from cropsvc.imaging.render.render import render
from cropsvc.model.errors import CropError
from cropsvc.model.limits import Limits
from tests.as_shown import avifs, bmps, gifs, jpegs, pngs, pngs_color, profiles, webps
from tests.browser.conftest import FLAGS

DRAW = """async (text) => {
  const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([bytes]));
  try { await image.decode(); } catch (error) { if (!image.naturalWidth) return null; }
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
  let text2 = "";
  for (let at = 0; at < data.length; at += 32768)
    text2 += String.fromCharCode(...data.subarray(at, at + 32768));
  return [canvas.width, canvas.height, btoa(text2)];
}"""
MOST, MOST_HDR = 2.0, 12.0  # mean difference of 255, of colour over white and of alpha
FORMATS = {
    "avif": (avifs, 26), "bmp": (bmps, 250), "gif": (gifs, 50), "jpeg": (jpegs, 150),
    "png": (pngs, 100), "png-color": (pngs_color, 140), "webp": (webps, 70),
    "profile": (profiles, 60),
}  # fmt: skip
KNOWN = {  # name: why Chromium and the service differ
    "avif/moving-full": "Chromium takes the values of a sequence for limited ones",
    "avif/nclx-1-12": "Chromium shows nothing; the colours are ignored here, as in a PNG",
    "gif/screen-65535-1": "wider than MAX_SIDE",
    "jpeg/density": "boxes are in stored pixels; the page shows a copy in stored pixels",
    "gif/stray-before": "Chromium draws an empty canvas",
    "webp/lossless-alpha-extended": "Chromium's colours are too bright; its alpha is the same",
}


@pytest.fixture(scope="module")
def canvas(playwright: Playwright, require: Callable[[str], str]) -> Iterator[Page]:
    flags = [*FLAGS, "--force-color-profile=srgb"]
    browser = playwright.chromium.launch(executable_path=require("chromium"), args=flags)
    yield browser.new_page()
    browser.close()


def shown(page: Page, data: bytes) -> Image.Image | None:
    """What Chromium draws; None where it draws nothing."""
    found = page.evaluate(DRAW, base64.b64encode(data).decode())
    if found is None:
        return None
    image = Image.frombytes("RGBA", (found[0], found[1]), base64.b64decode(found[2]))
    return image if image.getbbox() else None


def cropped(data: bytes) -> tuple[Image.Image | None, tuple[str, ...]]:
    """The whole image as the service makes it, and its notes; None where it is refused."""
    try:
        made = render(data, parse([("format", "png")]), Limits(), lambda *_: None)[0]
    except CropError as error:
        return None, (error.code,)
    if made.error:
        return None, (made.error.code,)
    return Image.open(BytesIO(made.data)).convert("RGBA"), made.notes


def difference(one: Image.Image, other: Image.Image) -> tuple[float, float]:
    """The mean difference of colour over white, and of alpha."""
    white = Image.new("RGBA", one.size, "white")
    flat = [Image.alpha_composite(white, image).convert("RGB") for image in (one, other)]
    colors = ImageStat.Stat(ImageChops.difference(*flat)).mean
    alphas = ImageChops.difference(one.getchannel("A"), other.getchannel("A"))
    return sum(colors) / 3, ImageStat.Stat(alphas).mean[0]


def violation(page: Page, data: bytes) -> str:
    """How the two differ; empty if they agree."""
    browser, (service, notes) = shown(page, data), cropped(data)
    if browser is None:
        return ""  # whether such a file is refused is a matter of other tests
    if service is None:
        return f"refused: {notes[0]}"
    if browser.size != service.size:
        return f"{service.size} where Chromium has {browser.size}"
    color, alpha = difference(browser, service)
    most = MOST_HDR if "tone-mapped" in notes else MOST
    return f"colour {color:.1f}, alpha {alpha:.1f}" if max(color, alpha) > most else ""


@pytest.mark.parametrize("kind", FORMATS)
def test_every_file_is_cropped_as_chromium_shows_it(canvas: Page, kind: str) -> None:
    module, least = FORMATS[kind]
    files = list(module.files())
    found = {f"{kind}/{name}": violation(canvas, data) for name, data in files}
    wrong = {name: text for name, text in found.items() if text and name not in KNOWN}
    assert wrong == {}
    assert len(files) >= least


def test_four_hundred_files_are_compared() -> None:
    assert sum(least for _, least in FORMATS.values()) >= 400
