"""What the page loads: little, its own, under a strict policy."""

from playwright.sync_api import Response

from tests.browser.conftest import Open
from tests.stack import Stack

ALLOWED = 180_000  # bytes over the wire, without the images


def test_the_page_weighs_at_most_180_kb(stack: Stack, open_page: Open) -> None:
    page = open_page(stack.url, path="/healthz")
    weights: dict[str, int] = {}

    def weigh(response: Response) -> None:
        sizes = response.request.sizes()
        weights[response.url.removeprefix(stack.url)] = sizes["responseBodySize"]

    page.page.on("requestfinished", lambda request: weigh(request.response()))
    page.page.goto(stack.url)
    page.page.wait_for_load_state("networkidle")
    assert "/static/js/app.js" in weights
    assert 20_000 < sum(weights.values()) <= ALLOWED, weights


def test_the_policy_allows_nothing_inline_and_nothing_foreign(
    stack: Stack, open_page: Open
) -> None:
    page = open_page(stack.url)
    response = page.page.request.get(stack.url)
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert page.page.evaluate("document.querySelectorAll('[style], style').length") == 0
