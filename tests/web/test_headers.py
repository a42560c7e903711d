"""What every answer tells browsers, whatever was asked and whatever came of it."""

import json
import socket
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest
from redis import Redis

from cropsvc.jobs.service import Jobs
from cropsvc.model.limits import Lifetimes
from cropsvc.settings.settings import Settings
from cropsvc.store import Store
from cropsvc.web.app import app_of
from cropsvc.web.services import Services
from tests import pictures
from tests.contract.client import Client
from tests.stack import Stack

Ask = Callable[[Client], httpx.Response]
PNG = pictures.png(33, 22)

ASKED: dict[str, tuple[int, Ask]] = {
    "page": (200, lambda api: api.get("/")),
    "docs": (200, lambda api: api.get("/docs")),
    "openapi": (200, lambda api: api.get("/openapi.json")),
    "static": (200, lambda api: api.get("/static/page.css")),
    "static-304": (304, lambda api: _again(api, "/static/page.css")),
    "static-404": (404, lambda api: api.get("/static/no.css")),
    "healthz": (200, lambda api: api.get("/healthz")),
    "readyz": (200, lambda api: api.get("/readyz")),
    "metrics": (200, lambda api: api.get("/metrics")),
    "classic-page": (200, lambda api: api.get("/image_page")),
    "classic-progress": (200, lambda api: api.get("/progress")),
    "classic-result": (404, lambda api: api.get("/result.png")),
    "submit": (202, lambda api: api.submit(PNG)),
    "submit-bytes": (200, lambda api: api.submit(PNG, wait=20, headers={"Accept": "image/*"})),
    "form": (303, lambda api: api.post("/crops", files={"image": ("a.png", PNG)})),
    "form-wrong": (415, lambda api: api.post("/crops", files={"image": ("a.png", b"no")})),
    "bad-parameter": (400, lambda api: api.submit(PNG, box="<b>")),
    "cross-site": (403, lambda api: api.submit(PNG, headers={"Origin": "https://evil.example"})),
    "not-found": (404, lambda api: api.get("/nowhere")),
    "no-job": (404, lambda api: api.get("/v1/crops/none")),
    "no-jobs-page": (404, lambda api: api.get("/crops/none")),
    "method": (405, lambda api: api.put("/v1/crops")),
    "page-method": (405, lambda api: api.delete("/")),
    "options": (200, lambda api: api.options("/v1/crops")),
    "preflight": (403, lambda api: api.options("/v1/crops", headers=PREFLIGHT)),
    "head": (200, lambda api: api.head("/")),
    "too-large": (413, lambda api: api.submit(b"x" * (33 * 1024**2))),
    "unsupported": (415, lambda api: api.submit(b"no picture")),
    "unreadable": (422, lambda api: api.submit(PNG[:20])),
}
PREFLIGHT = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
OF_A_JOB = {
    "status": (200, "", {}),
    "image": (200, "/image", {}),
    "image-206": (206, "/image", {"Range": "bytes=0-9"}),
    "image-304": (304, "/image", {"If-None-Match": "*"}),
    "image-416": (416, "/image", {"Range": "bytes=999999-"}),
    "source": (200, "/source", {}),
    "events": (200, "/events", {}),
}
BYTES = {"image", "image-206", "image-304", "source"}


def _again(api: Client, path: str) -> httpx.Response:
    return api.get(path, headers={"If-None-Match": api.get(path).headers["ETag"]})


def check(answer: Any) -> None:
    """The headers that no answer may lack."""
    headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "sandbox" in policy or "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Request-Id"]


@pytest.mark.parametrize("name", ASKED)
def test_every_answer_says_what_browsers_must_not_do(stack: Stack, name: str) -> None:
    status, ask = ASKED[name]
    with Client(stack.url) as api:
        answer = ask(api)
    assert answer.status_code == status
    check(answer)


@pytest.mark.parametrize("name", OF_A_JOB)
def test_so_does_every_answer_about_a_job(stack: Stack, name: str) -> None:
    status, path, headers = OF_A_JOB[name]
    with Client(stack.url) as api:
        link = api.crop(PNG)["links"]["self"]
        answer = api.get(link + path, headers=headers)
    assert answer.status_code == status
    check(answer)
    sandboxed = answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert sandboxed == (name in BYTES)


def test_only_the_web_component_is_for_pages_of_other_sites(stack: Stack) -> None:
    paths = {
        "embed/crop-image.js": ("*", "cross-origin"), "js/app.js": (None, "same-origin"),
        "embed/%2e%2e/js/app.js": (None, "same-origin"),
    }  # fmt: skip
    with Client(stack.url) as api:
        answers = {path: api.get(f"/static/{path}") for path in paths}

    names = ("Access-Control-Allow-Origin", "Cross-Origin-Resource-Policy")
    assert {
        path: tuple(map(answer.headers.get, names)) for path, answer in answers.items()
    } == paths
    assert [answer.status_code for answer in answers.values()] == [200] * 3


def test_the_answer_to_a_bug_has_them_too() -> None:
    class Broken:
        def get(self, *_: object) -> None:
            raise RuntimeError("secret words")

    nowhere = Redis.from_url("redis://127.0.0.1:1", retry=None)
    store = Store(nowhere, Lifetimes(1, 1), ["secret"])
    app = app_of(Services(Settings(), store, cast(Jobs, Broken())))
    for path in ("/v1/crops/x", "/crops/x"):
        answer = app.test_client().get(path)
        assert answer.status_code == 500
        assert "secret words" not in answer.text
        check(answer)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"<script>alert(1)</script> /\r\n\r\n",
        b"\x16\x03\x01\r\n\r\n",
        b"GET /v1/crops/x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /?" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["version", "script", "tls", "length", "long"],
)
def test_a_request_that_cannot_be_parsed_gets_a_problem_with_them(
    stack: Stack, sent: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as sock:
        sock.sendall(sent)
        head, _, body = sock.makefile("rb").read().partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0].startswith("http/1.1 4")
    assert "content-security-policy: default-src 'none'; sandbox" in lines
    assert "x-content-type-options: nosniff" in lines
    assert "cross-origin-resource-policy: same-origin" in lines
    assert b"<script" not in body
    assert f"content-length: {len(body)}" in lines
    assert "content-type: application/problem+json" in lines
    told = json.loads(body)
    assert (told["status"], told["code"]) == (int(lines[0].split()[1]), "bad-request")
    assert "detail" in told
