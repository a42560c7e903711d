"""Tokens for browsers: what they allow, and that they allow nothing else."""

import hashlib
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import flask
import pytest
import structlog

from cropsvc.imaging.params.table import CROP_PARAMETERS
from cropsvc.settings.settings import Settings
from cropsvc.web import access_log
from tests import in_process, pictures
from tests.contract.client import Client, Json, problem
from tests.stack import Stack

ALICE, SECOND, BOB = "alice's key", "alice's second key", "bob's key"
SITE = "https://app.example.com"
VALUES = {
    "box": "0,0,5,5", "aspect": "1:1", "anchor": "top", "size": "10x10", "fit": "cover",
    "enlarge": "true", "rotate": "90", "format": "png", "quality": "50", "background": "#ff0000",
    "max_bytes": "5000", "lossless": "true", "effort": "fast", "metadata": "none", "hdr": "drop",
    "strict": "true",
}  # fmt: skip
ELSEWHERE = {
    "preset": "classic", "outputs": '[{"size": "10x10"}]', "source": "a" * 48,
    "url": "https://example.com/a.png", "webhook": "https://example.com/", "token": "x",
    "sample": "1", "name": "a",
}  # fmt: skip


def setting(*pairs: tuple[str, str]) -> str:
    return ",".join(f"{name}:{hashlib.sha256(key.encode()).hexdigest()}" for name, key in pairs)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    stack = Stack(tmp_path_factory.mktemp("tokens"), worker=False)
    stack.start_valkey()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield stack.redis_url
    structlog.reset_defaults()
    stack.stop()


def app_with(redis_url: str, keys: str, rate_limit: str = "") -> flask.Flask:
    env = {"CROPSVC_REDIS_URL": redis_url, "CROPSVC_CORS_ORIGINS": SITE}
    env |= {"CROPSVC_RATE_LIMIT": rate_limit} if rate_limit else {}
    return in_process._app(
        Settings.from_env({**env, **({"CROPSVC_API_KEYS": keys} if keys else {})})
    )


@pytest.fixture(scope="module")
def app(redis_url: str) -> flask.Flask:
    return app_with(redis_url, setting(("alice", ALICE), ("alice", SECOND), ("bob", BOB)))


def client(app: flask.Flask, key: str = "") -> Client:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return Client("http://crops", transport=in_process.Transport(app), headers=headers)


@pytest.fixture(scope="module")
def alice(app: flask.Flask) -> Client:
    return client(app, ALICE)


def token(owner: Client, **wanted: object) -> str:
    response = owner.post("/v1/tokens", json=wanted)
    assert response.status_code == 201, response.text
    assert response.headers["Cache-Control"] == "no-store"
    return str(response.json()["token"])


def test_an_upload_token_submits_and_the_job_token_reads(app: flask.Flask, alice: Client) -> None:
    browser = client(app, token(alice, preset="classic", parameters=["format"]))
    response = browser.submit(pictures.png(300, 300), format="png", wait=5)
    job = browser.accept(response)
    reader = client(app, response.headers["Job-Token"])

    assert job["outputs"][0]["width"] == 300
    assert job["outputs"][0]["region"] == [4, 60, 150, 120]
    assert reader.job(job)["state"] == "done"
    assert reader.bytes_of(job) == alice.bytes_of(job)
    problem(browser.get(job["links"]["self"]), 403, "out-of-scope")


@pytest.mark.parametrize("name", [row.name for row in CROP_PARAMETERS])
def test_a_parameter_is_taken_only_if_the_token_names_it(
    name: str, app: flask.Flask, alice: Client
) -> None:
    others = [row.name for row in CROP_PARAMETERS if row.name != name]
    without = client(app, token(alice, parameters=others))
    given = {name: VALUES[name]}
    if name in ("lossless", "max_bytes"):
        given["format"] = "webp"

    problem(without.submit(pictures.png(), **given), 403, "out-of-scope", field=name)
    problem(without.upload(pictures.png(), **given), 403, "out-of-scope", field=name)

    allowed = client(app, token(alice, parameters=list(given)))
    allowed.accepted(pictures.png(), **given)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_no_crop_parameter_is_never_taken(
    name: str, app: flask.Flask, alice: Client
) -> None:
    every = [row.name for row in CROP_PARAMETERS]
    browser = client(app, token(alice, parameters=every))
    data = None if name in ("source", "url") else pictures.png()

    problem(browser.submit(data, **{name: ELSEWHERE[name]}), 403, "out-of-scope", field=name)


def test_what_a_token_fixes_is_set_and_cannot_be_changed(app: flask.Flask, alice: Client) -> None:
    fixed = {"size": "20x10", "format": "jpeg", "quality": "40", "enlarge": "true"}
    browser = client(app, token(alice, parameters=["box", "size"], fixed=fixed))

    problem(browser.submit(pictures.png(), size="21x10"), 403, "out-of-scope", field="size")
    problem(browser.submit(pictures.png(), fit="cover"), 403, "out-of-scope", field="fit")
    job = browser.accepted(pictures.png(44, 40), box="0,0,40,20", size="20x10")
    output = alice.job(job)["outputs"][0]
    assert (output["width"], output["height"], output["format"]) == (20, 10, "jpeg")
    assert output["region"] == [0, 0, 40, 20]


def test_the_tokens_preset_cannot_be_changed(app: flask.Flask, alice: Client) -> None:
    browser = client(app, token(alice, preset="classic"))

    problem(browser.submit(pictures.png(), preset="other"), 403, "out-of-scope", field="preset")
    browser.accepted(pictures.png(300, 300), preset="classic")


def calls(app: flask.Flask) -> list[tuple[str, str, str]]:
    """Every endpoint with its method and path."""
    return [
        (rule.endpoint, method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"OPTIONS"})
    ]


OPEN = {
    "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/v1/capabilities", "/v1/presets",
    "/login", "/logout",
}  # fmt: skip
OF_READER = {"api.show", "api.events", "api.first_image", "api.image", "archive.of_job"}


def asked(user: Client, method: str, rule: str, job: Json, **params: str) -> int:
    path = rule.replace("<job_id>", job["id"]).replace("<name>", "0")
    data = pictures.png() if method == "POST" else b""
    if "progress" in rule or "result" in rule:
        params["jobid"] = job["id"]
    headers = {"Content-Type": "image/png"}
    return user.request(method, path, content=data, params=params, headers=headers).status_code


def test_no_token_opens_another_endpoint(app: flask.Flask, alice: Client) -> None:
    job, other = alice.crop(pictures.png(31, 30)), alice.crop(pictures.png(32, 30))
    uploader = client(app, token(alice, parameters=[], jobs=5))
    reader, nobody = client(app, token(alice, job=job["id"])), client(app)
    text = token(alice, job=job["id"])
    checked = 0
    for endpoint, method, rule in calls(app):
        if rule in OPEN or "<path:" in rule:
            continue
        checked += 1
        is_submit = endpoint == "api.submit"
        assert asked(uploader, method, rule, job) == (202 if is_submit else 403), rule
        reads = endpoint in OF_READER
        assert asked(reader, method, rule, job) == (200 if reads else 403), rule
        assert asked(reader, method, rule, other) == 403, rule
        in_query = asked(nobody, method, rule, job, token=text)
        assert (in_query == 200) == (reads and endpoint != "api.show"), (rule, in_query)
        if in_query != 200:
            assert in_query in (400, 401), (rule, in_query)
    assert checked > 15
    assert alice.job(job)["state"] == "done"


def test_a_query_token_reads_one_job_only(app: flask.Flask, alice: Client) -> None:
    job, other = alice.crop(pictures.png(33, 30)), alice.crop(pictures.png(34, 30))
    text, nobody = token(alice, job=job["id"]), client(app)
    for path in ("events", "image", "image/0", "archive"):
        assert (
            nobody.get(f"/v1/crops/{job['id']}/{path}", params={"token": text}).status_code == 200
        )
        answer = nobody.get(f"/v1/crops/{other['id']}/{path}", params={"token": text})
        problem(answer, 403, "out-of-scope")
        for wrong in ("", "x", text[:-1], text[:-1] + "é", "x" * 5000):
            answer = nobody.get(f"/v1/crops/{job['id']}/{path}", params={"token": wrong})
            problem(answer, 401, "unauthorized")
        twice = nobody.get(f"/v1/crops/{job['id']}/{path}?token={text}&token={text}")
        problem(twice, 400, "bad-parameter", field="token")


def test_an_image_with_a_token_may_be_shown_by_another_site(
    app: flask.Flask, alice: Client
) -> None:
    job = alice.crop(pictures.png(35, 30))
    address = f"/v1/crops/{job['id']}/image"
    shown = client(app).get(address, params={"token": token(alice, job=job["id"])})

    assert shown.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert alice.get(address).headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_token_makes_as_many_jobs_as_it_says(jobs: int, app: flask.Flask, alice: Client) -> None:
    browser = client(app, token(alice, jobs=jobs))
    problem(browser.submit(b"no image"), 415)
    problem(browser.submit(pictures.png(), size="9x9"), 403, "out-of-scope")
    for number in range(jobs):
        browser.accepted(pictures.png(40 + number, 30))

    problem(browser.submit(pictures.png(50, 30)), 403, "out-of-scope")


def test_a_repeat_under_its_key_is_no_second_job(app: flask.Flask, alice: Client) -> None:
    headers = {"Idempotency-Key": "avatar"}
    owners = alice.accepted(pictures.png(41, 31), headers=headers)
    browser = client(app, token(alice))
    first = browser.accepted(pictures.png(42, 31), headers=headers)

    assert first["id"] != owners["id"]
    assert browser.accepted(pictures.png(42, 31), headers=headers)["id"] == first["id"]
    problem(browser.submit(pictures.png(43, 31)), 403, "out-of-scope")


def test_refused_visitors_do_not_use_up_the_owners_rate(redis_url: str) -> None:
    app = app_with(redis_url, setting(("carol", "c"), ("dave", "d")), rate_limit="2/minute")
    carol, dave = client(app, "c"), client(app, "d")
    visitor = client(app, token(carol, jobs=5))
    for expected in (415, 415, 429):
        assert visitor.submit(b"no image").status_code == expected
    for expected in (202, 202, 429):
        assert carol.submit(pictures.png()).status_code == expected

    client(app, token(dave)).accepted(pictures.png())
    assert [dave.submit(pictures.png()).status_code for _ in range(2)] == [202, 429]


def test_a_token_for_one_job_makes_one_however_many_ask_at_once(
    app: flask.Flask, alice: Client
) -> None:
    text = token(alice)
    with ThreadPoolExecutor(8) as pool:
        answers = [
            pool.submit(client(app, text).submit, pictures.png(70 + number, 30))
            for number in range(8)
        ]
    assert sorted(one.result().status_code for one in answers) == [202] + [403] * 7


def test_an_upload_is_as_large_as_the_token_allows(app: flask.Flask, alice: Client) -> None:
    data = pictures.png(60, 30)
    browser = client(app, token(alice, max_upload=len(data), jobs=5))

    browser.accepted(data)
    browser.accept(browser.upload(data))
    problem(browser.submit(data + b"x"), 413, "too-large")
    problem(browser.upload(data + b"x"), 413, "too-large")


def test_a_token_expires(app: flask.Flask, alice: Client) -> None:
    job = alice.crop(pictures.png(36, 30))
    browser, reader = client(app, token(alice)), client(app, token(alice, job=job["id"]))
    with mock.patch("cropsvc.web.tokens.time.time", return_value=10.0**10):
        problem(browser.submit(pictures.png()), 401, "unauthorized")
        problem(reader.get(job["links"]["image"]), 401, "unauthorized")


def test_a_token_is_nothing_for_others(app: flask.Flask, alice: Client) -> None:
    job = alice.crop(pictures.png(37, 30))
    bob = client(app, BOB)

    problem(bob.post("/v1/tokens", json={"job": job["id"]}), 404, "not-found")
    made = client(app, token(bob)).submit(pictures.png(38, 30))
    problem(alice.get(made.json()["links"]["self"]), 404, "not-found")
    problem(client(app, token(bob, job=made.json()["id"])).get(job["links"]["self"]), 403)


def test_a_token_dies_with_its_key(redis_url: str, app: flask.Flask, alice: Client) -> None:
    text, other = token(alice, jobs=9), token(client(app, SECOND), jobs=9)
    rotated = app_with(redis_url, setting(("alice", SECOND), ("bob", BOB)))

    problem(client(rotated, text).submit(pictures.png()), 401, "unauthorized")
    client(rotated, other).accepted(pictures.png())
    renamed = app_with(redis_url, setting(("carol", ALICE)))
    problem(client(renamed, text).submit(pictures.png()), 401, "unauthorized")


def test_a_service_without_keys_holds_tokens_to_the_same(redis_url: str) -> None:
    anybody = client(app_with(redis_url, ""))
    text = token(anybody)
    browser = Client("http://crops", transport=anybody._transport)
    browser.headers["Authorization"] = f"Bearer {text}"

    problem(browser.submit(pictures.png(), size="9x9"), 403, "out-of-scope")
    browser.accepted(pictures.png())
    problem(browser.submit(pictures.png()), 403, "out-of-scope")


def test_tokens_are_made_with_a_key_only(app: flask.Flask) -> None:
    problem(client(app).post("/v1/tokens", json={}), 401, "unauthorized")


WRONG = [
    ({"lifetime": 0}, "lifetime"), ({"lifetime": 86401}, "lifetime"),
    ({"lifetime": True}, "lifetime"),
    ({"jobs": 1.5}, "jobs"), ({"jobs": "1"}, "jobs"), ({"max_upload": 10**12}, "max_upload"),
    ({"preset": "nope"}, "preset"), ({"preset": []}, "preset"), ({"preset": None}, "preset"),
    ({"parameters": "box"}, "parameters"),
    ({"parameters": ["outputs"]}, "parameters"), ({"parameters": [[]]}, "parameters"),
    ({"parameters": ["box", "box"]}, "parameters"), ({"fixed": ["box"]}, "fixed"),
    ({"fixed": {"outputs": "1"}}, "fixed"), ({"fixed": {"size": "0x0"}}, "fixed.size"),
    ({"fixed": {"size": None}}, "fixed.size"), ({"fixed": {"quality": 80}}, "fixed.quality"),
    ({"fixed": {"size": "x" * 65}}, "fixed.size"),
    ({"more": 1}, "more"), ({"job": 1}, "job"), ({"job": "a", "jobs": 1}, "jobs"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "field"), WRONG)
def test_a_wrong_wish_is_refused_by_name(body: Json, field: str, alice: Client) -> None:
    problem(alice.post("/v1/tokens", json=body), 400, "bad-parameter", field=field)


@pytest.mark.parametrize("body", [b"[]", b"{", b"1", b"\xff", b"[" * 9000])
def test_a_body_that_is_no_object_is_refused(body: bytes, alice: Client) -> None:
    problem(alice.post("/v1/tokens", content=body), 400, "bad-request")


def test_other_sites_use_tokens_as_cors_is_set(app: flask.Flask, alice: Client) -> None:
    text = token(alice, jobs=2)
    here = client(app, text).submit(pictures.png(), headers={"Origin": SITE})
    assert here.headers["Access-Control-Allow-Origin"] == SITE
    assert "Job-Token" in here.headers["Access-Control-Expose-Headers"]
    there = client(app, text).submit(pictures.png(), headers={"Origin": "https://evil.example"})
    problem(there, 403, "cross-site")


def test_the_access_log_and_the_metrics_hold_no_token(app: flask.Flask, alice: Client) -> None:
    job = alice.crop(pictures.png(39, 30))
    text = token(alice, job=job["id"])
    log = mock.Mock()
    with mock.patch.object(access_log, "log", log):
        for path in ("events", "image", "archive"):
            client(app).get(f"/v1/crops/{job['id']}/{path}", params={"token": text})
            client(app).get(f"/v1/crops/{job['id']}/{path}", params={"token": "SECRET" + text})

    said = str(log.mock_calls)
    assert said.count("/image") == 2
    assert text[10:60] not in said + alice.get("/metrics").text
    assert "SECRET" not in said


def test_the_trace_of_a_request_holds_no_token(app: flask.Flask) -> None:
    tracing = pytest.importorskip("cropsvc.web.tracing")
    span = mock.Mock()
    with app.test_request_context("/v1/crops/x/image?token=SECRET"):
        flask.g.span = span
        tracing._end(flask.Response())

    assert span.set_attributes.called
    assert "SECRET" not in str(span.mock_calls)
