"""nginx with the cache of examples/nginx: what it keeps, for whom, and what it never writes."""

import re

import pytest

from tests import pictures
from tests.contract.client import Client, Json
from tests.proxy.conftest import CACHING, NGINX


@pytest.fixture
def job(caching: Client) -> Json:
    """A job that is done, and whose image nobody has asked for."""
    return caching.accepted(pictures.unlike(4711), size="30x20", wait=20)


def test_a_result_is_fetched_once_and_served_from_the_cache(caching: Client, job: Json) -> None:
    url = job["links"]["image"]
    answers = [caching.get(url) for _ in range(2)]
    assert [answer.headers["X-Cache"] for answer in answers] == ["MISS", "HIT"]
    assert answers[0].content == answers[1].content
    assert pictures.decode(answers[1].content).shape[:2] == (20, 30)
    known = caching.get(url, headers={"If-None-Match": answers[0].headers["ETag"]})
    assert (known.status_code, known.headers["X-Cache"]) == (304, "HIT")
    part = caching.get(url, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, answers[0].content[:10])


@pytest.mark.parametrize("header", ["Authorization", "Cookie"])
def test_what_is_asked_with_a_key_is_not_kept(caching: Client, job: Json, header: str) -> None:
    secret = f"Bearer secret-{header}"
    url = f"/v1/crops/{job['id']}/image/0"
    for _ in range(2):
        assert caching.get(url, headers={header: secret}).headers["X-Cache"] == "BYPASS"


def test_a_job_that_ended_otherwise_is_asked_for_each_time(caching: Client, job: Json) -> None:
    url = job["links"]["image"]
    caching.delete(job["links"]["self"])
    for _ in range(2):
        answer = caching.get(url)
        assert (answer.status_code, answer.headers["X-Cache"]) == (410, "MISS")


@pytest.mark.parametrize("site", [NGINX, CACHING], ids=["deploy", "example"])
def test_no_log_of_nginx_has_the_query(site) -> None:
    text = site.read_text(encoding="utf-8")
    [name] = re.findall(r"access_log \S+ (\w+);", text)
    [said] = re.findall(rf"log_format {name}\s+(.*?);", text, re.DOTALL)
    assert "$uri" in said
    assert not re.search(r"\$(request|request_uri|args|http_referer|is_args|query_string)\b", said)
