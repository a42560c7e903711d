"""The contract with bytes in an S3 server (moto's), and with downloads from there."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import flask
import httpx
import pytest

from cropsvc.store.keys import OBJECTS_TURN, PENDING
from cropsvc.web.services import EXTENSION, Services
from tests.contract.client import Client
from tests.in_process import Transport, in_process
from tests.pictures import png
from tests.stack import free_port, until

pytest.importorskip("obstore")
pytest.importorskip("moto")

BUCKET = "crops"


@pytest.fixture(scope="module")
def s3_port() -> int:
    """Where the S3 server listens."""
    return free_port()


@pytest.fixture(scope="module")
def s3_process(
    s3_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[subprocess.Popen[bytes]]:
    """The S3 server."""
    log = (tmp_path_factory.mktemp("s3") / "log").open("wb")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(s3_port)]
    with log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        yield server
        server.kill()


@pytest.fixture(scope="module")
def s3(s3_port: int, s3_process: subprocess.Popen[bytes]) -> str:
    """The URL of the S3 server, with an empty bucket."""
    url = f"http://127.0.0.1:{s3_port}"
    until(lambda: answers(url), seconds=30, what="moto answers")
    assert httpx.put(f"{url}/{BUCKET}").is_success
    return url


def answers(url: str) -> bool:
    """Whether a server is there."""
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def app(s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[flask.Flask]:
    """The front end with its bytes in the bucket, and downloads from there."""
    found = {
        "AWS_ENDPOINT_URL": s3,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in found.items():
            patch.setenv(name, value)
        variables = {"CROPSVC_BLOBS": f"s3://{BUCKET}/prefix", "CROPSVC_BLOB_REDIRECT": "true"}
        with in_process(tmp_path_factory.mktemp("s3-front-end"), **variables) as app:
            yield app


@pytest.fixture
def client(app: flask.Flask) -> Iterator[Client]:
    """A client of the front end."""
    with Client("http://127.0.0.1", transport=Transport(app)) as client:
        yield client


def stored(s3: str) -> int:
    """How many objects are in the bucket."""
    return httpx.get(f"{s3}/{BUCKET}?list-type=2").text.count("<Key>prefix/")


def sweep(app: flask.Flask) -> None:
    """Let a worker look at every object."""
    services: Services = app.extensions[EXTENSION]
    services.store.client.delete(OBJECTS_TURN)
    services.store.sweep_objects()


def test_a_download_is_redirected_to_the_bucket(client: Client) -> None:
    job = client.crop(png(31, 21), size="7x7", format="png")
    answer = client.get(job["links"]["image"])
    assert answer.status_code == 307
    assert answer.headers["Repr-Digest"]
    assert "X-Amz-Expires=60" in answer.headers["Location"]
    image = httpx.get(answer.headers["Location"])
    assert image.status_code == 200
    assert image.headers["Content-Type"] == "image/png"
    assert hashlib.sha256(image.content).hexdigest() == job["outputs"][0]["sha256"]


def test_the_page_gets_its_images_from_here(client: Client) -> None:
    job = client.crop(png(31, 22), size="7x7", format="png")
    answer = client.get(job["links"]["image"], headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest() == job["outputs"][0]["sha256"]


def test_conditions_and_head_are_answered_here(client: Client) -> None:
    job = client.crop(png(32, 21), size="7x7")
    link, tag = job["links"]["image"], f'"{job["outputs"][0]["sha256"]}"'
    assert client.get(link, headers={"If-None-Match": tag}).status_code == 304
    assert client.get(link, headers={"If-Match": '"other"'}).status_code == 307  # ignored
    head = client.head(link)
    assert (head.status_code, head.headers["ETag"]) == (200, tag)


def test_uploads_archives_and_reuse_work_from_the_bucket(client: Client) -> None:
    data = png(33, 21)
    job = client.crop(data, size="7x7")
    assert client.get(job["links"]["source"]).content == data
    assert client.crop(source=job["id"], size="5x5")["state"] == "done"
    assert client.crop(data, size="7x7")["cached"]
    assert client.get(f"/v1/crops/{job['id']}/archive").content.startswith(b"PK")


def test_deleted_jobs_leave_nothing_in_the_bucket(
    client: Client, app: flask.Flask, s3: str
) -> None:
    before = stored(s3)
    job = client.crop(png(34, 21), size="7x7")
    assert stored(s3) == before + 2
    assert client.delete(f"/v1/crops/{job['id']}").status_code == 204
    sweep(app)
    assert stored(s3) == before
    assert client.get(job["links"]["image"]).status_code == 410


def test_a_hung_store_answers_503_within_2_s_and_keeps_no_slot(
    client: Client, app: flask.Flask, s3_process: subprocess.Popen[bytes]
) -> None:
    os.kill(s3_process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        answer = client.submit(png(35, 21), size="7x7")
        took = time.monotonic() - began
    finally:
        os.kill(s3_process.pid, signal.SIGCONT)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert took < 2
    services: Services = app.extensions[EXTENSION]
    assert services.store.client.zcard(PENDING) == 0
    assert client.crop(png(35, 21), size="7x7")["state"] == "done"


def large(content: bytes) -> bytes:
    """A file that begins with *content*, too large to be held in memory."""
    return content + bytes(9 * 1024**2)


def test_a_large_upload_comes_in_parts_and_is_cropped(client: Client, s3: str) -> None:
    before, data = stored(s3), large(png(36, 21))
    job = client.crop(data, size="7x7")
    assert stored(s3) == before + 3  # two parts, and the result
    assert job["source"]["bytes"] == len(data)
    assert job["source"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert client.get(job["links"]["source"]).content == data
    form = client.upload(data, size="8x8")
    assert form.json()["source"]["sha256"] == job["source"]["sha256"]


@pytest.mark.parametrize(
    ("data", "box", "code"),
    [
        (large(b"no image"), "0,0,9,9", "unsupported-format"),
        (large(png(37, 21)), "99,0,9,9", "box-outside"),
        (large(png(37, 21)), "nothing", "bad-parameter"),
    ],
    ids=["type", "box", "parameter"],
)
def test_a_refused_large_upload_leaves_no_object(
    client: Client, s3: str, data: bytes, box: str, code: str
) -> None:
    before = stored(s3)
    for answer in (client.submit(data, box=box), client.upload(data, box=box)):
        assert answer.json()["code"] == code
    assert stored(s3) == before


def test_a_large_upload_that_breaks_off_leaves_no_object(client: Client, s3: str) -> None:
    before, data = stored(s3), large(png(38, 21))
    headers = {"Content-Type": "image/png", "Content-Length": str(len(data) + 9)}
    answer = client.post("/v1/crops", content=data, headers=headers)
    assert answer.json()["code"] == "incomplete-upload"
    assert stored(s3) == before
