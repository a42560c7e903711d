"""The page in other languages: from the first look to the result, and without a script."""

import re

import pytest
from playwright.sync_api import expect

from cropsvc.web import language
from tests import pictures
from tests.browser.conftest import Open
from tests.browser.crop_page import CropPage
from tests.stack import Stack

KEY = re.compile(r"\b(page|job|title|note|state|file|box|batch|stage|saving|range)\.[a-z]")


def without_keys(page: CropPage) -> str:
    """All that the page says; no text may be missing."""
    text = page.page.inner_text("body") + str(page.page.get_attribute("#stage", "aria-label"))
    assert not KEY.search(text), text
    return text


@pytest.mark.parametrize("one", ["de", "fr", "es", "ja"])
def test_the_page_speaks_the_language_of_the_browser(
    stack: Stack, open_page: Open, one: str
) -> None:
    page = open_page(stack.url, locale=one, viewport={"width": 360, "height": 740})
    texts = language.texts(one)
    assert page.page.get_attribute("html", "lang") == one
    assert texts["page.intro.text"] in without_keys(page)
    page.offer("notes.txt", b"just words")
    refused = texts["file.other"].partition("{formats}")[0].format(name="notes.txt")
    expect(page.page.get_by_role("alert")).to_contain_text(refused)
    page.choose("photo.png", pictures.png(60, 50))
    broken = '{"code": "unreadable", "detail": "The file is broken."}'
    page.page.route("**/v1/crops", lambda one: one.fulfill(status=422, body=broken), times=1)
    page.submit()
    expect(page.title).to_have_text(texts["job.failed"])
    expect(page.words).to_have_attribute("lang", "en")  # details of the API are in English
    page.submit()
    expect(page.title).to_have_text(texts["job.done"])
    expect(page.page.locator("#outputs .download")).to_have_text(texts["page.download"])
    without_keys(page)
    assert page.page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.violations() == []
    page.page.goto(page.url + "/crops/never-was")
    expect(page.page.get_by_role("heading", level=1)).to_have_text(texts["page.gone.not-found"])
    page.page.goto(page.url + "/docs")
    assert page.page.get_attribute("html", "lang") == "en"


def test_a_page_says_which_language_it_is_in(stack: Stack, open_page: Open) -> None:
    page = open_page(stack.url, java_script_enabled=False, locale="fr-FR")
    answer = page.page.goto(stack.url)
    assert answer
    assert answer.headers["content-language"] == "fr"
    assert "Accept-Language" in answer.headers["vary"]
    page.page.get_by_role("button", name="Essayer avec l’image d’exemple").click()
    expect(page.page.locator("#outputs .facts")).to_contain_text("300 × 300", timeout=15_000)
    expect(page.title).to_have_text("Votre recadrage est prêt")
