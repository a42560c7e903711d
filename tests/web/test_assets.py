"""The page's files travel compressed; nothing else does."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from cropsvc.web import app as web
from tests import pictures
from tests.contract.client import Client

STATIC = Path(web.__file__).parent / "static"
GZIP = {"Accept-Encoding": "br, gzip;q=0.8"}


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Client]:
    with Client(base_url) as client:
        yield client


@pytest.mark.parametrize("name", ["page.css", "js/app.js", "icon.svg"])
def test_text_is_compressed_for_clients_that_accept_it(api: Client, name: str) -> None:
    with api.stream("GET", f"/static/{name}", headers=GZIP) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert gzip.decompress(body) == (STATIC / name).read_bytes()
    same = {"If-None-Match": answer.headers["ETag"]}
    assert api.get(f"/static/{name}", headers=GZIP | same).status_code == 304
    plain = api.get(f"/static/{name}", headers={"Accept-Encoding": "gzip;q=0"} | same)
    assert (plain.status_code, "Content-Encoding" in plain.headers) == (200, False)
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert plain.headers["ETag"] != answer.headers["ETag"]
    assert plain.content == (STATIC / name).read_bytes()


def test_a_range_is_of_the_plain_file(api: Client) -> None:
    answer = api.get("/static/page.css", headers=GZIP | {"Range": "bytes=0-9"})
    assert (answer.status_code, answer.content) == (206, (STATIC / "page.css").read_bytes()[:10])


@pytest.mark.parametrize("name", ["no.js", "..%2f..%2fapp.css", "js"])
def test_what_is_not_there_is_404(api: Client, name: str) -> None:
    assert api.get(f"/static/{name}", headers=GZIP).status_code == 404


def test_images_and_answers_of_the_api_are_never_compressed(api: Client) -> None:
    job = api.submit(pictures.png(33, 22), wait=20).json()
    paths = [
        "/static/sample.jpg",
        "/",
        "/openapi.json",
        job["links"]["self"],
        job["links"]["image"],
    ]
    for path in paths:
        answer = api.get(path, headers=GZIP)
        assert (answer.status_code, "Content-Encoding" in answer.headers) == (200, False), path
