"""The pages, as a browser without JavaScript meets them."""

import html
import json
import re

import pytest

from tests import pictures
from tests.contract.client import Client, checked

HTML = {"Accept": "text/html"}


def test_the_front_page_has_a_form_for_an_image(api: Client) -> None:
    page = api.get("/", headers=HTML)
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    form = re.search(r"<form[^>]*action=\"/crops\"[^>]*>", page.text)
    assert form
    assert 'enctype="multipart/form-data"' in form[0]
    assert re.search(r"<input[^>]*name=\"image\"", page.text)


@pytest.mark.parametrize("path", ["/", "/docs", "/image_page"])
def test_a_page_takes_nothing_from_elsewhere_and_has_no_inline_script(
    api: Client, path: str
) -> None:
    page = api.get(path, headers=HTML)
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=\"(https?:)?//", page.text)
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", page.text)
    assert "script-src" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_the_form_leads_to_the_jobs_page(api: Client) -> None:
    files = {"image": ("a.png", pictures.png(101, 30)), "box": (None, "0,0,9,9")}
    answer = api.post("/crops", files=files, headers=HTML)
    assert answer.status_code == 303
    where = answer.headers["Location"]
    assert re.fullmatch(r"/crops/[\w.~-]+", where)
    page = api.get(where, headers=HTML)
    assert page.status_code == 200
    job = checked(api.get(f"/v1{where}", params={"wait": 20}).json())
    assert job["state"] == "done"
    assert f"{job['links']['image']}" in api.get(where, headers=HTML).text


def test_the_jobs_page_knows_what_was_asked_and_the_files_name(api: Client) -> None:
    files = {"image": ("C:\\trip\\sea & <b>.png", pictures.png()), "size": (None, "40x50")}
    job = api.post("/v1/crops", files=files, params={"wait": 20}).json()
    fields = {"source": job["id"], "size": "40x50", "wait": "20"}
    again = api.post("/v1/crops", params=fields).json()
    found = re.search(
        r'id="asked-data">(.*?)</script>', api.get(f"/crops/{again['id']}", headers=HTML).text
    )
    assert found
    asked = json.loads(found[1])
    assert asked["name"] == "sea & <b>.png"
    assert asked["outputs"][0]["size"] == "40x50"
    assert "<b>" not in found[1]


def test_a_wrong_form_is_answered_by_a_page_with_a_message(api: Client) -> None:
    files = {"image": ("a.png", b"no image")}
    answer = api.post("/crops", files=files, headers=HTML)
    assert answer.status_code == 415
    assert answer.headers["Content-Type"].startswith("text/html")


def test_the_page_of_no_job_is_a_page(api: Client) -> None:
    answer = api.get("/crops/never-was", headers=HTML)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


def test_the_pages_of_failed_and_deleted_jobs_tell_them_apart(api: Client) -> None:
    failed = api.ended(api.accepted(pictures.truncated(pictures.jpeg(240, 150, seed=71))))
    page = api.get(failed["links"]["page"], headers=HTML)
    assert page.status_code in (200, 422)
    assert failed["error"]["detail"] in html.unescape(page.text)
    deleted = api.crop(pictures.png(102, 30))
    api.delete(deleted["links"]["self"])
    assert api.get(deleted["links"]["page"], headers=HTML).status_code == 410
