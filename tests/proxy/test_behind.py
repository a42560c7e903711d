"""The service behind a proxy: large uploads, forms, waits and events; see conftest.py."""

import re
import time

import httpx
import numpy as np
import pytest

from tests import pictures
from tests.contract.client import PATIENCE, problem
from tests.contract.test_events import parsed
from tests.proxy.conftest import NGINX, Proxied


def test_http_leads_to_https(proxied: Proxied) -> None:
    if proxied.name != "nginx":
        pytest.skip("Caddy redirects by itself, from port 80 only")
    answer = httpx.get(f"http://localhost:{proxied.plain_port}/docs?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (308, "https://localhost/docs?x=1")


def test_the_largest_uploads_pass_and_larger_ones_are_refused_by_cropsvc(proxied: Proxied) -> None:
    pixels = np.zeros((3200, 3200, 3), np.uint8)
    pixels[:2, :2] = 200
    large = pictures.encode(pixels, "bmp")
    assert len(large) > 30_000_000
    job = proxied.api.accepted(large, box="0,0,2,2", format="png")
    assert job["source"]["bytes"] == len(large)
    refused = proxied.api.submit(large + bytes(3 * 1024**2), box="0,0,2,2")
    problem(refused, 413, "too-large")
    proxied.api.delete(job["links"]["self"])


def test_a_wait_that_nobody_ends_is_held(proxied: Proxied) -> None:
    job = proxied.api.accepted(pictures.png(31, 31))
    started = time.monotonic()
    assert proxied.api.job(job, wait=2)["state"] == "queued"
    assert 1.9 < time.monotonic() - started < 10


def test_nginx_waits_longer_than_a_client_may() -> None:
    [seconds] = re.findall(r"proxy_read_timeout (\d+)s;", NGINX.read_text(encoding="utf-8"))
    assert int(seconds) > PATIENCE


def test_the_front_end_sees_the_clients_scheme_and_host(proxied: Proxied) -> None:
    """A form from the page is cross-site unless the front end knows its own origin."""
    api, form = proxied.api, {"files": {"image": ("a.png", pictures.png(33, 20))}}
    origin = str(api.base_url).rstrip("/")
    answer = api.post("/crops", data={"box": "0,0,5,5"}, headers={"Origin": origin}, **form)
    assert answer.status_code == 303
    assert api.get(answer.headers["Location"]).status_code == 200
    assert f"{origin}/v1/crops" in api.get("/docs").text
    forged = {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}
    assert api.post("/crops", data={"box": "0,0,5,5"}, headers=forged, **form).status_code == 403


def test_events_arrive_while_the_job_goes_on(proxied: Proxied) -> None:
    job = proxied.api.accepted(pictures.jpeg(seed=77))
    with proxied.api.stream("GET", job["links"]["events"]) as stream:
        events = parsed(stream.iter_lines())
        name, first = next(events)
        assert (name, first["state"]) == ("progress", "queued")  # no worker runs yet
        proxied.stack.start_worker()
        names = [name for name, _ in events]
    assert names[-1] == "done"
    assert proxied.api.bytes_of(proxied.api.job(job))
