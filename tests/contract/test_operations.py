"""Health, metrics, the API's description, and a store that is gone."""

import json
import re
import time

import pytest

from tests import pictures
from tests.contract.client import Client, problem
from tests.stack import Stack, until

NAMES = (
    "box", "aspect", "anchor", "size", "fit", "enlarge", "rotate", "format", "quality",
    "background", "outputs", "preset", "wait", "Idempotency-Key",
)  # fmt: skip


def test_a_healthy_service_says_so(api: Client) -> None:
    assert api.get("/healthz").status_code == 200
    until(lambda: api.get("/readyz").status_code == 200, seconds=10, what="the store has a second")
    assert api.get("/readyz").json()["warnings"] == []


def test_metrics_are_prometheus_text(api: Client) -> None:
    api.crop(pictures.png(100, 30))
    response = api.get("/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain")
    assert re.search(r"^# TYPE \S+ (counter|gauge|histogram)$", response.text, re.MULTILINE)
    for word in ("queue", "worker", "request", "bytes"):
        assert re.search(rf"^\w*{word}\w*(\{{.*\}})? [\d.e+-]+$", response.text, re.MULTILINE), word


def test_the_api_describes_itself(api: Client) -> None:
    response = api.get("/openapi.json")
    assert response.headers["Content-Type"].partition(";")[0] in (
        "application/json",
        "application/vnd.oai.openapi+json",
    )
    document = response.json()
    assert document["openapi"].startswith("3.1.")
    assert {
        "/v1/crops",
        "/v1/crops/{id}",
        "/v1/crops/{id}/image",
        "/v1/crops/{id}/image/{name}",
        "/v1/crops/{id}/source",
        "/v1/crops/{id}/events",
    } <= set(document["paths"])
    text = json.dumps(document)
    for name in NAMES:
        assert f'"{name}"' in text, name


def test_the_docs_are_a_page_that_needs_no_other_server(api: Client) -> None:
    response = api.get("/docs")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    assert "/v1/crops" in response.text
    assert not re.search(r"(src|href)=[\"']?(https?:)?//[^\"'>]+\.(js|css)", response.text)


@pytest.fixture(scope="module")
def fragile(make_module_stack) -> Stack:
    return make_module_stack(workers=1)


def test_without_the_store_all_is_unavailable_soon_and_comes_back(fragile: Stack) -> None:
    with Client(fragile.url) as api:
        job = api.crop(pictures.png())
        fragile.kill(fragile.valkey)
        for ask in (
            lambda: api.submit(pictures.png(50, 50)),
            lambda: api.get(job["links"]["self"]),
            lambda: api.get(job["links"]["image"]),
            lambda: api.delete(job["links"]["self"]),
        ):
            started = time.monotonic()
            response = ask()
            problem(response, 503, "unavailable")
            assert int(response.headers["Retry-After"]) >= 1
            assert time.monotonic() - started < 3
        ready = api.get("/readyz")
        assert ready.status_code == 503
        assert re.search("redis|store|valkey", ready.text, re.IGNORECASE)
        assert api.get("/healthz").status_code == 200
        fragile.start_valkey()
        until(lambda: api.get("/readyz").status_code == 200, seconds=30, what="/readyz is 200")
        assert api.job(job)["state"] == "done"
        api.crop(pictures.png(51, 50))


@pytest.fixture(scope="module")
def limited(make_module_stack) -> Stack:
    return make_module_stack(workers=1, rate_limit="5/minute")


def test_rate_limited_client_gets_retry_after(limited: Stack) -> None:
    with Client(limited.url) as api:
        answers = [api.submit(pictures.png()) for _ in range(8)]
        codes = [response.status_code for response in answers]
        assert codes[0] == 202
        assert codes[-1] == 429
        problem(answers[-1], 429, "rate-limited")
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
        elsewhere = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"}
        problem(api.submit(pictures.png(), headers=elsewhere), 429, "rate-limited")
        assert api.get("/healthz").status_code == 200
