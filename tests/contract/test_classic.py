"""The first version's routes."""

import re
import time
from collections.abc import Iterator

import pytest

from tests import pictures
from tests.contract.client import Client, Json
from tests.stack import Stack, until


def progress(api: Client, id_: str, **more: str) -> Json:
    response = api.get("/progress", params={"jobid": id_, **more})
    assert response.status_code == 200
    assert response.headers["Content-Type"].partition(";")[0] == "application/json"
    body: Json = response.json()
    return body


def test_the_page_starts_a_classic_crop_of_the_sample(api: Client) -> None:
    page = api.get("/image_page", params={"whatever": "1"})
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    found = re.search(r"jobid=([\w.~-]+)", page.text)
    assert found, page.text
    job = api.ended(api.job(found[1]))
    output = job["outputs"][0]
    width, height = job["source"]["width"], job["source"]["height"]
    assert (output["width"], output["height"]) == (300, 300)
    assert output["region"] == [4, int(height * 0.2 + 0.5), 150, _edge(height)]
    assert width >= 154
    image = api.get("/result.png", params={"jobid": found[1], "t": "123"})
    assert image.status_code == 200
    assert image.headers["Content-Type"] == f"image/{output['format']}"
    assert pictures.decode(image.content).shape[:2] == (300, 300)
    assert progress(api, found[1], t="123") == {"state": "SUCCESS", "progress": 1.0}


def _edge(height: int) -> int:
    return int(height * 0.6 + 0.5) - int(height * 0.2 + 0.5)


def test_progress_without_or_with_an_unknown_id_is_empty(api: Client) -> None:
    assert api.get("/progress").json() == {}
    assert progress(api, "never-was") == {}
    assert progress(api, "") == {}


def test_a_failed_job(api: Client) -> None:
    job = api.ended(api.accepted(pictures.truncated(pictures.jpeg(230, 150, seed=61))))
    told = progress(api, job["id"])
    assert set(told) == {"state", "error"}
    assert told["state"] == "FAILURE"
    assert told["error"]
    assert api.get("/result.png", params={"jobid": job["id"]}).status_code == 422


@pytest.mark.parametrize("query", ["", "?jobid=", "?jobid=never-was", "?other=1"])
def test_no_result_without_a_known_id(api: Client, query: str) -> None:
    assert api.get(f"/result.png{query}").status_code == 404


def test_a_deleted_result_is_gone(api: Client) -> None:
    job = api.crop(pictures.png(96, 30))
    api.delete(job["links"]["self"])
    assert api.get("/result.png", params={"jobid": job["id"]}).status_code == 410


@pytest.fixture
def waiting(idle_module_stack: Stack) -> Iterator[Client]:
    with Client(idle_module_stack.url) as client:
        yield client


def test_a_queued_job_is_pending(waiting: Client) -> None:
    job = waiting.accepted(pictures.png(97, 30))
    assert progress(waiting, job["id"]) == {"state": "PENDING", "progress": 0.0}


def test_head_starts_nothing(waiting: Client) -> None:
    before = waiting.accepted(pictures.unlike(1))["position"]
    assert waiting.head("/image_page").status_code == 200
    assert waiting.accepted(pictures.unlike(2))["position"] == before + 1
    assert waiting.get("/image_page").status_code == 200
    assert waiting.accepted(pictures.unlike(3))["position"] == before + 3


def test_a_page_that_polls_sees_the_result_appear(api: Client) -> None:
    found = re.search(r"jobid=([\w.~-]+)", api.get("/image_page").text)
    assert found
    started = time.monotonic()
    until(
        lambda: progress(api, found[1])["state"] == "SUCCESS",
        seconds=20,
        what="/progress says SUCCESS",
    )
    assert api.get("/result.png", params={"jobid": found[1]}).status_code == 200
    assert time.monotonic() - started < 20
