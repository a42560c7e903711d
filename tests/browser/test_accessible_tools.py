"""axe-core on what test_accessibility.py leaves out: steps, batches, tools, no script."""

import json
import re

import httpx
import pytest
from playwright.sync_api import Route, expect

from tests import pictures
from tests.browser.conftest import Open
from tests.browser.crop_page import CropPage
from tests.browser.test_many import await_all, offered
from tests.stack import Stack

SCHEMES = ["light", "dark"]
BYTES = {"Content-Type": "application/octet-stream"}


@pytest.fixture(params=SCHEMES)
def themed(request: pytest.FixtureRequest, stack: Stack, open_page: Open) -> CropPage:
    """The front page in one of the colour schemes."""
    return open_page(stack.url, color_scheme=request.param)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_upload_and_the_running_job_have_no_violation(
    idle_module_stack: Stack, open_page: Open, scheme: str
) -> None:
    page = open_page(idle_module_stack.url, color_scheme=scheme)
    page.choose("photo.png", pictures.png(300, 200))
    page.page.route("**/v1/crops", lambda route: None)
    page.submit()
    expect(page.title).to_have_text("Uploading")
    assert page.violations() == []
    page.page.click("#cancel")
    page.page.unroute_all()

    def running(route: Route) -> None:
        job = route.fetch().json() | {"state": "running", "stage": "encoding", "progress": 0.7}
        route.fulfill(body=json.dumps(job), content_type="application/json")

    page.page.route("**/v1/crops/*?wait=*", running)
    page.submit()
    expect(page.words).to_have_text("Writing the result, 70 %")
    assert page.violations() == []
    page.page.unroute_all(behavior="ignoreErrors")


def test_a_batch_has_no_violation(themed: CropPage) -> None:
    offered(themed, [(f"{i}.png", pictures.png(60 + i, 50)) for i in range(4)])
    answered: list[Route] = []
    themed.page.route("**/v1/crops", lambda route: answered.append(route))
    themed.submit()
    expect(themed.page.locator("#tray-list [data-state=sending]")).to_have_count(4)
    assert themed.violations() == []
    answered.pop().fulfill(status=422, body='{"detail": "The file is broken."}')
    for route in answered:
        route.continue_()
    await_all(themed, "3 of 4 images are cropped")
    assert themed.violations() == []
    themed.page.locator("#tray-list [data-state=failed]").click()
    expect(themed.words).to_have_text("The file is broken.")
    assert themed.violations() == []


def test_the_tools_have_no_violation(themed: CropPage) -> None:
    themed.page.route("**/v1/crops", lambda route: None)
    themed.offer("photo.tiff", pictures.encode(pictures.photo(60, 50), "tiff"))
    expect(themed.page.locator("#preparing")).to_be_visible()
    assert themed.violations() == []
    themed.page.unroute_all()
    themed.choose("photo.png", pictures.png(300, 200))
    themed.page.get_by_role("radio", name="1:1").check(force=True)
    themed.page.get_by_label("Show it round").check()
    themed.page.click("#more")
    themed.page.select_option("#format", "jpeg")
    themed.page.fill("#max-bytes", "0.5")  # refused at the field
    themed.page.click("#horizon")
    assert themed.violations() == []
    themed.page.fill("#max-bytes", "")
    themed.crop()
    themed.page.click(".compare-with")
    expect(themed.page.locator(".compare canvas")).to_be_visible()
    assert themed.violations() == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_without_script_has_no_violation(
    stack: Stack, open_page: Open, scheme: str
) -> None:
    page = open_page(stack.url, path="/healthz", color_scheme=scheme)
    page.page.route(f"{stack.url}/**", as_without_script)
    page.page.goto(stack.url)
    expect(page.page.get_by_role("button", name="Crop", exact=True)).to_be_visible()
    assert page.violations() == []
    with httpx.Client(base_url=stack.url) as client:
        job = client.post("/v1/crops?wait=20", content=pictures.png(), headers=BYTES).json()
    page.page.goto(stack.url + job["links"]["page"])
    expect(page.page.locator("#outputs img")).to_be_visible()
    assert page.violations() == []


def as_without_script(route: Route) -> None:
    """The page as a browser without scripts builds it; axe itself needs one that runs them."""
    answer = route.fetch()
    if "text/html" not in answer.headers.get("content-type", ""):
        route.fulfill(response=answer)
        return
    html = re.sub(r"<script\b.*?</script>|</?noscript>", "", answer.text(), flags=re.DOTALL)
    route.fulfill(response=answer, body=html)
