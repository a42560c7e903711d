"""Results together: one ZIP of a job's outputs, or of many jobs' outputs."""

import base64
import hashlib
import io
import zipfile

import httpx
import pytest

from tests import pictures
from tests.contract.client import Client, problem

TWO = '[{"name": "small", "size": "5x5"}, {"name": "large", "size": "9x9", "format": "jpeg"}]'


def unzipped(response: httpx.Response) -> dict[str, bytes]:
    """The files, from bytes that are those of the digest."""
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Repr-Digest"] == digest(response.content)
    assert int(response.headers["Content-Length"]) == len(response.content)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} <= {zipfile.ZIP_STORED}
        return {info.filename: archive.read(info) for info in archive.infolist()}


def digest(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


def test_a_job_is_one_zip_of_its_outputs(api: Client) -> None:
    job = api.crop(pictures.png(), outputs=TWO)
    files = unzipped(api.get(f"/v1/crops/{job['id']}/archive"))
    assert files == {
        "small.png": api.bytes_of(job, "small"),
        "large.jpg": api.bytes_of(job, "large"),
    }


def test_outputs_that_failed_are_left_out(api: Client) -> None:
    entries = '[{"size": "20x20"}, {"max_bytes": 1024}]'
    job = api.ended(api.accepted(pictures.jpeg(1200, 900), outputs=entries))
    assert list(unzipped(api.get(f"/v1/crops/{job['id']}/archive"))) == ["0.jpg"]


def test_a_job_that_failed_has_no_archive_but_its_reason(api: Client) -> None:
    job = api.ended(api.accepted(pictures.jpeg(1200, 900), max_bytes=1024))
    problem(api.get(f"/v1/crops/{job['id']}/archive"), 422, "over-max-bytes")


def test_many_jobs_are_one_zip_with_safe_and_different_names(api: Client) -> None:
    one, two = (api.crop(pictures.unlike(n)) for n in (1, 2))
    entries = [
        {"id": one["id"], "name": "../../etc/passwd"},
        {"id": two["id"], "output": "0", "name": "beach.png"},
        {"id": one["id"], "name": "BEACH.jpeg"},
        {"id": one["id"], "name": "..\\C:\\x?.png"},
        {"id": two["id"]},
    ]
    files = unzipped(api.post("/v1/archive", json={"entries": entries}))
    suffix = {"jpeg": "jpg"}.get(one["outputs"][0]["format"], one["outputs"][0]["format"])
    assert list(files) == [
        f"passwd.{suffix}",
        f"beach.{suffix}",
        f"BEACH (2).{suffix}",
        f"x_.{suffix}",
        f"crop-{two['id'][:8]}-0.{suffix}",
    ]
    assert files[f"beach.{suffix}"] == api.bytes_of(two)


def test_what_is_gone_is_listed_inside(api: Client) -> None:
    job, gone = api.crop(pictures.unlike(3)), api.crop(pictures.unlike(4))
    api.delete(f"/v1/crops/{gone['id']}")
    entries = [{"id": gone["id"]}, {"id": job["id"]}, {"id": job["id"], "output": "nose"}]
    files = unzipped(api.post("/v1/archive", json={"entries": entries}))
    lines = files["missing.txt"].decode().splitlines()
    assert [line.split(":")[0] for line in lines] == [f"{gone['id']} ", f"{job['id']} nose"]
    assert ": deleted: " in lines[0]
    assert ": not-found: " in lines[1]
    assert len(files) == 2


def test_an_id_that_is_no_utf8_is_no_job(api: Client) -> None:
    body = rb'{"entries": [{"id": "\ud800", "name": "\udfff"}]}'
    files = unzipped(api.post("/v1/archive", content=body))
    assert files == {"missing.txt": b"? : not-found: there is no job ?\n"}
    problem(api.post("/v1/tokens", content=rb'{"job": "\ud800"}'), 404, "not-found")


def test_a_missing_entry_cannot_write_lines_of_its_own(api: Client) -> None:
    job = api.crop(pictures.unlike(5))
    entries = [{"id": job["id"]}, {"id": "a\nb"}, {"id": job["id"], "output": "x\r\ny"}]
    files = unzipped(api.post("/v1/archive", json={"entries": entries}))
    lines = files["missing.txt"].decode().splitlines()
    assert [line.split(":")[0] for line in lines] == ["a?b ", f"{job['id']} x??y"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{}", b"nonsense", b'{"entries": []}', b'{"entries": [1]}',
        b'{"entries": [{"output": "0"}]}', b'{"entries": [{"id": 5}]}',
        b'{"entries": [{"id": "a", "path": "b"}]}', b"[" * 5000, b"\xff\xfe",
        b'{"entries": [' + b'{"id": "a"},' * 200 + b'{"id": "a"}]}',
    ],
)  # fmt: skip
def test_a_wrong_list_is_refused(api: Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    problem(api.post("/v1/archive", content=body, headers=headers), 400, "bad-parameter")


def test_a_list_that_is_too_long_is_refused(api: Client) -> None:
    body = b'{"entries": "' + b"a" * 300_000 + b'"}'
    problem(api.post("/v1/archive", content=body), 413, "too-large")


def test_every_image_and_the_upload_carry_their_digest(api: Client) -> None:
    job = api.crop(pictures.png())
    for path in ("image", "image/0", "source"):
        answer = api.get(f"/v1/crops/{job['id']}/{path}")
        assert answer.headers["Repr-Digest"] == digest(answer.content)
    part = api.get(f"/v1/crops/{job['id']}/image", headers={"Range": "bytes=0-3"})
    assert part.headers["Repr-Digest"] == digest(api.bytes_of(job))
