"""Requests from other sites: refused where they change something, unless allowed."""

from collections.abc import Iterator

import pytest

from tests import pictures
from tests.contract.client import Client, problem
from tests.stack import Stack

FRIEND = "https://friend.example"

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_another_sites_changes_are_refused(api: Client, headers: dict[str, str]) -> None:
    problem(api.submit(pictures.png(), headers=headers), 403, "cross-site")
    problem(api.upload(pictures.png(), headers=headers), 403, "cross-site")
    job = api.crop(pictures.png())
    problem(api.delete(job["links"]["self"], headers=headers), 403, "cross-site")
    assert api.job(job)["state"] == "done"


@pytest.mark.parametrize("headers", FOREIGN)
def test_the_form_is_refused_too(api: Client, headers: dict[str, str]) -> None:
    files = {"image": ("a.png", pictures.png())}
    assert api.post("/crops", files=files, headers=headers).status_code == 403


def test_our_own_page_and_programs_are_not_refused(api: Client) -> None:
    own = str(api.base_url).rstrip("/")
    for headers in (
        {},
        {"Origin": own},
        {"Origin": own, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ):
        api.accepted(pictures.png(), headers=headers)


def test_reading_is_not_a_change_but_no_other_site_may_see_the_answer(api: Client) -> None:
    job = api.crop(pictures.png())
    response = api.get(job["links"]["self"], headers={"Origin": "https://evil.example"})
    assert response.status_code == 200
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.fixture(scope="module")
def open_stack(make_module_stack) -> Stack:
    return make_module_stack(cors_origins=FRIEND, workers=1)


@pytest.fixture(scope="module")
def friendly(open_stack: Stack) -> Iterator[Client]:
    with Client(open_stack.url) as client:
        yield client


def test_an_allowed_origin_may_submit_and_read(friendly: Client) -> None:
    headers = {"Origin": FRIEND, "Sec-Fetch-Site": "cross-site"}
    response = friendly.submit(pictures.png(), headers=headers)
    job = friendly.ended(friendly.accept(response))
    image = friendly.get(job["links"]["image"], headers=headers)
    for answer in (response, image):
        assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
        assert "origin" in answer.headers["Vary"].lower()
    exposed = response.headers["Access-Control-Expose-Headers"].lower()
    assert "location" in exposed


def test_the_preflight_of_an_allowed_origin_passes(friendly: Client) -> None:
    asked = {
        "Origin": FRIEND,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,idempotency-key",
    }
    response = friendly.options("/v1/crops", headers=asked)
    assert response.status_code in (200, 204)
    assert response.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    allowed = response.headers["Access-Control-Allow-Headers"].lower()
    assert "content-type" in allowed
    assert "idempotency-key" in allowed


def test_a_problem_can_be_read_by_an_allowed_origin(friendly: Client) -> None:
    response = friendly.submit(b"no image", headers={"Origin": FRIEND})
    problem(response, 415, "unsupported-format")
    assert response.headers["Access-Control-Allow-Origin"] == FRIEND


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
def test_the_preflight_of_another_is_refused_as_a_problem(
    friendly: Client, origin: str | None
) -> None:
    asked = {"Access-Control-Request-Method": "POST"} | ({"Origin": origin} if origin else {})
    response = friendly.options("/v1/crops", headers=asked)
    problem(response, 403, "cross-site")
    assert not [name for name in response.headers if "access-control" in name.lower()]


@pytest.mark.parametrize("headers", FOREIGN)
def test_the_others_stay_refused(friendly: Client, headers: dict[str, str]) -> None:
    response = friendly.submit(pictures.png(), headers=headers)
    problem(response, 403, "cross-site")
    assert "Access-Control-Allow-Origin" not in response.headers
