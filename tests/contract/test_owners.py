"""API_KEYS: who may do what, and whose jobs are whose."""

import hashlib
import re
from collections.abc import Iterator

import pytest

from tests import pictures
from tests.contract.client import Client, problem
from tests.stack import Stack

ALICE, SECOND, BOB = "alice's key", "alices-second-key", "bob's key"


def _setting() -> str:
    pairs = (("alice", ALICE), ("alice", SECOND), ("bob", BOB))
    return ",".join(f"{name}:{hashlib.sha256(key.encode()).hexdigest()}" for name, key in pairs)


@pytest.fixture(scope="module")
def keyed(make_module_stack) -> Stack:
    return make_module_stack(api_keys=_setting(), workers=1)


def client(stack: Stack, key: str) -> Client:
    return Client(stack.url, headers={"Authorization": f"Bearer {key}"})


@pytest.fixture(scope="module")
def alice(keyed: Stack) -> Iterator[Client]:
    with client(keyed, ALICE) as api:
        yield api


@pytest.fixture(scope="module")
def bob(keyed: Stack) -> Iterator[Client]:
    with client(keyed, BOB) as api:
        yield api


@pytest.fixture(scope="module")
def nobody(keyed: Stack) -> Iterator[Client]:
    with Client(keyed.url) as api:
        yield api


BAD = ["", "Bearer", "Bearer wrong", "Basic YTpi", f"bearer{ALICE}", "Bearer " + "x" * 5000]


@pytest.mark.parametrize("authorization", BAD)
def test_without_a_right_key_nothing_is_done(nobody: Client, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    for response in (
        nobody.submit(pictures.png(), headers=headers),
        nobody.get("/v1/crops/whatever", headers=headers),
        nobody.get("/v1/crops/whatever/image", headers=headers),
        nobody.delete("/v1/crops/whatever", headers=headers),
    ):
        problem(response, 401, "unauthorized")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/image_page", "/progress", "/result.png"])
def test_the_first_versions_routes_want_the_key_first(
    nobody: Client, alice: Client, method: str, path: str
) -> None:
    refused = nobody.request(method, path)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert alice.request(method, path).status_code in (200, 404)


def test_a_key_that_is_not_ascii_is_only_wrong(nobody: Client) -> None:
    response = nobody.get("/v1/crops/x", headers=[(b"Authorization", "Bearer schlüssel".encode())])
    problem(response, 401, "unauthorized")


def test_health_needs_no_key(nobody: Client) -> None:
    assert nobody.get("/healthz").status_code == 200
    assert nobody.get("/readyz").status_code == 200


def test_another_owners_job_is_not_found(alice: Client, bob: Client) -> None:
    job = alice.crop(pictures.png())
    assert alice.bytes_of(job)
    for path in ("", "/image", "/image/0", "/source", "/events"):
        problem(bob.get(f"/v1/crops/{job['id']}{path}"), 404, "not-found")
    problem(bob.delete(f"/v1/crops/{job['id']}"), 404, "not-found")
    problem(bob.submit(source=job["id"]), 404, "not-found")
    assert bob.get("/result.png", params={"jobid": job["id"]}).status_code == 404
    assert bob.get("/progress", params={"jobid": job["id"]}).json() == {}
    assert alice.job(job)["state"] == "done"


def test_a_deleted_job_is_unknown_to_other_owners(alice: Client, bob: Client) -> None:
    job = alice.crop(pictures.png(51, 30))
    alice.delete(job["links"]["self"])
    problem(bob.get(job["links"]["self"]), 404, "not-found")


def test_two_keys_of_one_name_are_one_owner(keyed: Stack, alice: Client) -> None:
    job = alice.crop(pictures.png(52, 30))
    with client(keyed, SECOND) as other:
        assert other.job(job)["id"] == job["id"]


def test_idempotency_keys_are_each_owners_own(alice: Client, bob: Client) -> None:
    headers = {"Idempotency-Key": "same"}
    first = alice.accepted(pictures.png(53, 30), headers=headers)
    second = bob.accepted(pictures.png(54, 30), headers=headers)
    assert first["id"] != second["id"]


def test_results_are_reused_for_their_owner_only(alice: Client, bob: Client) -> None:
    data = pictures.png(55, 30)
    assert alice.crop(data)["cached"] is False
    assert bob.crop(data)["cached"] is False
    assert alice.crop(data)["cached"] is True


def test_the_page_asks_for_the_key_once_and_keeps_it(keyed: Stack, alice: Client) -> None:
    with Client(keyed.url, follow_redirects=False) as browser:
        page = browser.get("/", headers={"Accept": "text/html"}, follow_redirects=True)
        action, field = _key_form(page.text)
        wrong = browser.post(action, data={field: "wrong"})
        assert "Set-Cookie" not in wrong.headers
        answer = browser.post(action, data={field: ALICE})
        cookie = answer.headers["Set-Cookie"]
        assert re.search("; *httponly", cookie, re.IGNORECASE)
        assert re.search("; *samesite=strict", cookie, re.IGNORECASE)
        assert browser.get("/").status_code == 200
        job = alice.crop(pictures.png(56, 30))
        assert browser.get(f"/crops/{job['id']}").status_code == 200
        assert browser.get(job["links"]["image"]).status_code == 200


def _key_form(html: str) -> tuple[str, str]:
    """Where the form with the password field goes, and the field's name."""
    for form in re.findall(r"<form.*?</form>", html, re.DOTALL):
        field = re.search(r"<input[^>]*type=\"password\"[^>]*>", form)
        if field:
            action = re.search(r"action=\"([^\"]*)\"", form)
            name = re.search(r"name=\"([^\"]+)\"", field[0])
            assert name, field[0]
            return (action[1] if action else "/"), name[1]
    raise AssertionError(f"no form asks for the key: {html[:500]}")
