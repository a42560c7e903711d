"""Who may ask the dashboard for what, on every route that it has."""

import base64
from itertools import product

import pytest
from flask import Flask
from redis import Redis
from werkzeug.test import TestResponse

from cropsvc.dashboard.app import app_of
from cropsvc.settings.settings import Settings

USER, PASSWORD = "admín", "pass wörd"
VALUES = {
    "instance_number": "0",
    "queue_name": "cropsvc",
    "registry_name": "failed",
    "per_page": "8",
    "order": "asc",
    "page": "1",
    "job_id": "some-job",
    "filename": "css/main.css",
}


def make_app(**settings: str) -> Flask:
    nowhere = Redis.from_url("redis://127.0.0.1:1", retry=None)  # the guard comes before the store
    return app_of(Settings(**settings), nowhere)


LOCKED = make_app(dashboard_user=USER, dashboard_password=PASSWORD, bind="0.0.0.0")
OPEN = make_app()


def basic(user: str, password: str, encoding: str = "utf-8") -> dict[str, str]:
    token = base64.b64encode(f"{user}:{password}".encode(encoding)).decode()
    return {"Authorization": f"Basic {token}"}


RIGHT = basic(USER, PASSWORD)


def routes(app: Flask) -> list[tuple[str, str]]:
    """Every method and path of *app*."""
    adapter = app.url_map.bind("localhost")
    found = set()
    for rule in app.url_map.iter_rules():
        values = {name: VALUES[name] for name in rule.arguments}
        if rule.arguments <= {"instance_number"} and "instance_number" in rule.arguments:
            path = rule.rule.replace("<int:instance_number>", "0")
        else:
            path = adapter.build(rule.endpoint, values)
        found |= {(method, path) for method in rule.methods or ()}
    return sorted(found)


ROUTES = routes(LOCKED)
CHANGES = [path for method, path in ROUTES if method == "POST"]


def ask(app: Flask, method: str, path: str, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().open(path, method=method, headers=named)


def test_the_routes_are_all_there() -> None:
    paths = {path for _, path in ROUTES}
    assert len(paths) >= 18
    assert {"/", "/0/view/workers", "/static/css/main.css", "/job/some-job/cancel"} <= paths
    assert len(CHANGES) == 6


def test_without_credentials_every_route_is_401() -> None:
    answers = {
        (method, path): ask(LOCKED, method, path)
        for method, path in [*ROUTES, ("GET", "/nowhere"), ("PUT", "/")]
    }
    assert [asked for asked, answer in answers.items() if answer.status_code != 401] == []
    challenges = {answer.headers["WWW-Authenticate"] for answer in answers.values()}
    assert all(challenge.startswith("Basic ") for challenge in challenges), challenges


@pytest.mark.parametrize(
    "headers",
    [
        basic(USER, "wrong"),
        basic("wrong", PASSWORD),
        basic(USER, ""),
        basic(USER, PASSWORD, "latin-1"),
        basic(PASSWORD, USER),
        {"Authorization": "Bearer " + PASSWORD},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"no-colon").decode()},
    ],
)
def test_wrong_credentials_are_401(headers: dict[str, str]) -> None:
    assert ask(LOCKED, "GET", "/0/view/jobs", **headers).status_code == 401


def test_right_credentials_pass_whatever_the_host_is_called() -> None:
    assert (
        ask(LOCKED, "GET", "/static/css/main.css", Host="crops.example", **RIGHT).status_code == 200
    )


CROSS_SITE = (
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost:5000"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
)


@pytest.mark.parametrize("app", [LOCKED, OPEN], ids=["locked", "open"])
def test_a_cross_site_post_is_403(app: Flask) -> None:
    passed = []
    for path, headers in product(CHANGES, CROSS_SITE):
        answer = ask(app, "POST", path, **headers, **RIGHT)
        if answer.status_code != 403 or "another site" not in answer.text:
            passed.append((path, headers, answer.status))
    assert passed == []


def test_an_own_post_passes_the_guard() -> None:
    stopped = []
    for path, headers in product(CHANGES, ({}, {"Origin": "http://localhost"})):
        answer = ask(LOCKED, "POST", path, **headers, **RIGHT)
        # There is no Redis here.
        if answer.status_code != 503 or "Redis cannot be used" not in answer.text:
            stopped.append((path, headers, answer.status))
    assert stopped == []


def test_a_change_by_another_method_is_405() -> None:
    passed = []
    for path, method in product(CHANGES, ("GET", "HEAD", "PUT", "DELETE")):
        answer = ask(LOCKED, method, path, **RIGHT)
        if answer.status_code != 405 or "POST" not in answer.headers["Allow"]:
            passed.append((method, path, answer.status))
    assert passed == []


@pytest.mark.parametrize("host", ["localhost:9181", "127.0.0.1:9181", "[::1]:9181", "LOCALHOST"])
def test_without_a_password_local_names_pass(host: str) -> None:
    assert ask(OPEN, "GET", "/static/css/main.css", Host=host).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:9181", "[fe80::1]", "10.0.0.1"]
)
def test_without_a_password_other_names_are_403(host: str) -> None:
    assert ask(OPEN, "GET", "/", Host=host).status_code == 403


def test_without_a_password_the_name_it_is_bound_to_passes() -> None:
    app = make_app(bind="127.0.0.7")
    assert ask(app, "GET", "/static/css/main.css", Host="127.0.0.7:9181").status_code == 200


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", ""])
def test_without_a_password_other_machines_are_403(address: str) -> None:
    answer = OPEN.test_client().get("/", environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/0/view/jobs", "/nowhere", "/static/css/main.css"])
@pytest.mark.parametrize("headers", [{}, RIGHT], ids=["refused", "allowed"])
def test_every_answer_says_what_browsers_must_not_do(path: str, headers: dict[str, str]) -> None:
    answer = ask(LOCKED, "GET", path, **headers)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_what_jobs_hold_is_not_cached() -> None:
    assert ask(LOCKED, "GET", "/0/view/jobs", **RIGHT).headers["Cache-Control"] == "no-store"
    assert (
        ask(LOCKED, "GET", "/static/css/main.css", **RIGHT).headers["Cache-Control"] != "no-store"
    )


@pytest.mark.parametrize(
    "path", ["/", "/0/view/workers", "/0/data/queues.json", "/0/data/job/x.json"]
)
def test_without_redis_a_view_says_so(path: str) -> None:
    answer = ask(LOCKED, "GET", path, **RIGHT)
    assert answer.status_code == 503
    assert "Traceback" not in answer.text
