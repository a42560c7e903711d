"""GET of a job's images and source: HTTP as usual."""

import hashlib

import pytest

from tests import pictures
from tests.contract.client import Client, Json, problem


@pytest.fixture(scope="module")
def job(api: Client) -> Json:
    return api.crop(
        pictures.png(60, 45),
        outputs='[{"name":"small","size":"10x10"},{"name":"wide","format":"jpeg"}]',
    )


@pytest.fixture(scope="module")
def url(job: Json) -> str:
    return str(job["links"]["image"])


@pytest.fixture(scope="module")
def body(api: Client, url: str) -> bytes:
    return api.get(url).content


def test_the_first_output_is_the_image(api: Client, job: Json, body: bytes) -> None:
    assert body == api.bytes_of(job, "small")
    assert pictures.decode(body).shape[:2] == (10, 10)


def test_an_output_is_fetched_by_its_name(api: Client, job: Json) -> None:
    response = api.get(f"{job['links']['image']}/wide")
    assert response.headers["Content-Type"] == "image/jpeg"
    assert pictures.decode(response.content).shape[:2] == (45, 60)


def test_the_headers_of_an_image(api: Client, url: str, body: bytes) -> None:
    headers = api.get(url).headers
    assert headers["Content-Type"] == "image/png"
    assert headers["ETag"] == f'"{hashlib.sha256(body).hexdigest()}"'
    assert headers["Content-Length"] == str(len(body))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"].startswith("inline; filename=")
    assert headers["Accept-Ranges"] == "bytes"
    cache = [part.strip() for part in headers["Cache-Control"].split(",")]
    assert {"private", "immutable"} <= set(cache)
    age = next(int(part.removeprefix("max-age=")) for part in cache if "max-age=" in part)
    assert 3000 < age <= 3600


def test_if_none_match_with_the_tag_gets_304(api: Client, url: str) -> None:
    tag = api.get(url).headers["ETag"]
    for asked in (tag, f'"other", {tag}', "*", f"W/{tag}"):
        response = api.get(url, headers={"If-None-Match": asked})
        assert response.status_code == 304, asked
        assert response.content == b""
        assert response.headers["ETag"] == tag


def test_another_tag_gets_the_bytes(api: Client, url: str, body: bytes) -> None:
    assert api.get(url, headers={"If-None-Match": '"other"'}).content == body


def test_head_has_the_same_headers_without_the_bytes(api: Client, url: str) -> None:
    got, told = api.get(url), api.head(url)
    assert told.status_code == 200
    assert told.content == b""
    for name in ("Content-Type", "Content-Length", "ETag", "Content-Disposition"):
        assert told.headers[name] == got.headers[name]


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=5-", slice(5, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=0-999999", slice(0, None)),
    ],
)
def test_a_range_gives_that_part(
    api: Client, url: str, body: bytes, asked: str, part: slice
) -> None:
    response = api.get(url, headers={"Range": asked})
    start, stop, _ = part.indices(len(body))
    assert response.status_code == 206
    assert response.content == body[part]
    assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(body)}"
    assert response.headers["Content-Length"] == str(len(body[part]))


def test_a_suffix_longer_than_the_image_is_all_of_it(api: Client, url: str, body: bytes) -> None:
    response = api.get(url, headers={"Range": f"bytes=-{len(body) + 100}"})
    assert response.content == body  # RFC 9110, section 14.1.2
    assert response.status_code in (200, 206)


def test_a_precondition_is_looked_at_before_the_range(api: Client, url: str) -> None:
    tag = api.get(url).headers["ETag"]
    for asked in ("bytes=0-3", "bytes=99999999-"):  # RFC 9110, section 13.2.2
        assert api.get(url, headers={"Range": asked, "If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("path", ["image", "source", "result.png"])
def test_if_match_is_no_part_of_the_api(api: Client, job: Json, path: str) -> None:
    url = f"/result.png?jobid={job['id']}" if path == "result.png" else job["links"][path]
    whole = api.get(url)
    for asked in ('"x"', "*", whole.headers["ETag"]):
        answer = api.get(url, headers={"If-Match": asked})
        assert (answer.status_code, answer.content) == (200, whole.content), asked
    both = {"If-Match": '"x"', "If-None-Match": whole.headers["ETag"]}
    assert api.get(url, headers=both).status_code == 304


def test_a_range_after_the_end_is_refused(api: Client, url: str, body: bytes) -> None:
    response = api.get(url, headers={"Range": f"bytes={len(body)}-"})
    problem(response, 416, "range-not-satisfiable")
    assert response.headers["Content-Range"] == f"bytes */{len(body)}"


@pytest.mark.parametrize("asked", ["bytes=-0", "Bytes= -00"])
def test_the_last_zero_bytes_are_refused(api: Client, url: str, body: bytes, asked: str) -> None:
    response = api.get(url, headers={"Range": asked})  # RFC 9110, section 14.1.2
    problem(response, 416, "range-not-satisfiable")
    assert response.headers["Content-Range"] == f"bytes */{len(body)}"


def test_the_last_zero_bytes_of_a_head_or_of_other_bytes_are_ignored(api: Client, url: str) -> None:
    headers = {"Range": "bytes=-0"}
    assert api.head(url, headers=headers).status_code == 200
    assert api.get(url, headers={**headers, "If-Range": '"other"'}).status_code == 200


@pytest.mark.parametrize("asked", ["lines=0-3", "bytes=0-3,6-9"])
def test_another_unit_or_several_ranges_give_the_whole(
    api: Client, url: str, body: bytes, asked: str
) -> None:
    response = api.get(url, headers={"Range": asked})
    assert (response.status_code, response.content) == (200, body)


@pytest.mark.parametrize("asked", ["bytes=x-y", "bytes=", "bytes=9-3"])
def test_a_malformed_range_is_ignored_or_refused(api: Client, url: str, asked: str) -> None:
    response = api.get(url, headers={"Range": asked})
    assert response.status_code in (200, 416)  # RFC 9110, section 14.2 leaves the choice


def test_if_range_gives_the_part_of_the_same_bytes_only(api: Client, url: str, body: bytes) -> None:
    tag = api.get(url).headers["ETag"]
    for asked in ('"other"', "Thu, 01 Jan 2099 00:00:00 GMT"):
        response = api.get(url, headers={"Range": "bytes=0-3", "If-Range": asked})
        assert (response.status_code, response.content) == (200, body), asked
    part = api.get(url, headers={"Range": "bytes=0-3", "If-Range": tag})
    assert (part.status_code, part.content) == (206, body[:4])


def test_an_unknown_output_name_is_not_found(api: Client, url: str) -> None:
    problem(api.get(f"{url}/nobody"), 404, "not-found")


@pytest.mark.parametrize("path", ["", "/image", "/image/0", "/source", "/events"])
@pytest.mark.parametrize("id_", ["never-was", "0" * 40, "x" * 500, "%00", "..%2f..", "ä"])
def test_an_id_that_never_was_is_not_found(api: Client, id_: str, path: str) -> None:
    problem(api.get(f"/v1/crops/{id_}{path}"), 404, "not-found")


def test_an_altered_id_is_not_found(api: Client, job: Json) -> None:
    altered = job["id"][:-1] + ("a" if job["id"][-1] != "a" else "b")
    problem(api.get(f"/v1/crops/{altered}"), 404, "not-found")


def test_a_failed_jobs_image_is_its_error(api: Client) -> None:
    broken = pictures.truncated(pictures.jpeg(320, 200, seed=11))
    job = api.ended(api.accepted(broken))
    assert job["state"] == "failed"
    assert job["error"]["code"] == "unreadable"
    assert set(job["error"]) == {"code", "detail"}
    assert job["progress"] < 1.0
    problem(api.get(job["links"]["image"]), 422, "unreadable")
    problem(api.get(job["links"]["image"] + "/0"), 422, "unreadable")


def test_the_source_is_the_upload_as_an_attachment(api: Client) -> None:
    data = pictures.png(61, 45) + b"and more"
    job = api.crop(data)
    response = api.get(job["links"]["source"])
    assert response.status_code == 200
    assert response.content == data
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("jpeg", "image/jpeg"),
        ("png", "image/png"),
        ("webp", "image/webp"),
        ("avif", "image/avif"),
        ("gif", "image/gif"),
    ],
)
def test_each_format_has_its_type(api: Client, kind: str, type_: str) -> None:
    job = api.crop(pictures.png(62, 45), format=kind)
    assert job["outputs"][0]["format"] == kind
    assert api.get(job["links"]["image"]).headers["Content-Type"] == type_
