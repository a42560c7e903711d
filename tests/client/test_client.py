"""The public Python client against a real service."""

import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cropsvc.client import Client, JobFailed, NoAnswer, ServiceError
from tests import pictures
from tests.stack import Stack, free_port


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    with Client(stack.url) as made:
        yield made


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "file"])
def test_one_call_crops_a_file(client: Client, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photo \u00e9.jpg"
    path.write_bytes(pictures.jpeg(400, 300))
    file = {
        "path": path, "text": str(path), "bytes": path.read_bytes(),
        "file": io.BytesIO(path.read_bytes()),
    }[kind]  # fmt: skip
    crop = client.crop(file, box=(10, 10, 200, 100), size="50x25", format="png", enlarge=False)
    assert pictures.decode(crop.data).shape[:2] == (25, 50)
    assert (crop.output.width, crop.output.region) == (50, (10, 10, 200, 100))
    assert crop.job.state == "done"


def test_outputs_are_a_list_of_dictionaries(client: Client) -> None:
    sizes = [{"name": "s", "size": "5x5"}, {"name": "l", "size": "9x9"}]
    job = client.wait(client.submit(pictures.png(), outputs=sizes))
    shapes = [pictures.decode(client.image(job, one)).shape[:2] for one in ("s", "l")]
    assert shapes == [(5, 5), (9, 9)]


def test_a_refusal_carries_status_code_and_detail(client: Client) -> None:
    with pytest.raises(ServiceError) as caught:
        client.submit(pictures.png(), size="0x0", quality=101)
    error = caught.value
    assert (error.status, error.code, error.retry_after) == (400, "bad-parameter", None)
    assert "size: " in error.detail
    assert "quality: " in error.detail


def test_a_job_that_fails_says_why(client: Client) -> None:
    with pytest.raises(JobFailed) as caught:
        client.crop(pictures.jpeg(1200, 900), max_bytes=1024)
    assert caught.value.code == "over-max-bytes"


def test_a_job_that_was_deleted_is_gone(client: Client) -> None:
    job = client.wait(client.submit(pictures.png(), size="7x7"))
    client.delete(job)
    with pytest.raises(ServiceError) as caught:
        client.job(job.id)
    assert (caught.value.status, caught.value.code) == (410, "deleted")


def test_events_end_with_the_jobs_end(client: Client) -> None:
    events = list(client.events(client.submit(pictures.unlike(77))))
    assert events[-1].kind == "done"
    assert events[-1].job.is_terminal


def test_a_submit_under_one_key_makes_one_job(client: Client) -> None:
    ids = {client.submit(pictures.png(), idempotency_key="same").id for _ in range(2)}
    assert len(ids) == 1


def test_sent_bytes_are_reported(client: Client) -> None:
    data, sent = pictures.jpeg(1200, 900), []
    client.submit(data, on_bytes=sent.append)
    assert sent[-1] == len(data)
    assert sent == sorted(sent)


def test_a_wait_may_be_bounded(stack: Stack) -> None:
    with Client(stack.url) as client, pytest.raises(TimeoutError):
        client.wait(client.submit(pictures.large(), format="avif", effort="small"), seconds=0.05)


class Scripted(BaseHTTPRequestHandler):
    """Answers with the next status and body of its list; 0 closes without an answer."""

    answers: list[tuple[int, bytes]]
    seen: list[str]

    def answer(self) -> None:
        self.seen.append(f"{self.command} {self.path}")
        status, body = self.answers.pop(0)
        if status:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        self.close_connection = True

    do_GET = do_DELETE = answer

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def scripted(*answers: tuple[int, bytes]) -> Iterator[tuple[Client, list[str]]]:
    """A client of a server that answers by a script, and the requests that it saw."""
    seen: list[str] = []
    handler = type("Handler", (Scripted,), {"answers": list(answers), "seen": seen})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    with Client(url, sleep=lambda _: None) as client:
        yield client, seen
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("first", [503, 429, 0])
@pytest.mark.parametrize("then", [204, 404])
def test_a_delete_is_repeated_until_it_is_answered(first: int, then: int) -> None:
    with scripted((first, b""), (then, b"")) as (client, seen):
        client.delete("a")
    assert seen == ["DELETE /v1/crops/a"] * 2


def test_a_delete_of_what_is_not_there_is_refused() -> None:
    with scripted((404, b"")) as (client, _), pytest.raises(ServiceError) as caught:
        client.delete("a")
    assert caught.value.status == 404


@pytest.mark.parametrize("data", [b"{", b"[]", b"{}", b"7", b"\xff"])
def test_events_that_are_no_jobs_are_no_answer(data: bytes) -> None:
    stream = b"event: progress\ndata: " + data + b"\n\n"
    with scripted((200, stream)) as (client, _), pytest.raises(NoAnswer, match="as a cropsvc does"):
        list(client.events("a"))


class Busy(BaseHTTPRequestHandler):
    """Answers 503 twice, then a job."""

    keys: list[str] = []  # noqa: RUF012 - of all requests

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.keys.append(self.headers["Idempotency-Key"])
        body = b'{"detail": "no", "code": "unavailable"}'
        if len(self.keys) > 2:
            job = {"id": "a", "state": "queued", "progress": 0, "stage": "queued"}
            body = json.dumps({**job, "position": 1, "outputs": [], "error": None}).encode()
        self.send_response(202 if len(self.keys) > 2 else 503)
        self.send_header("Retry-After", "3")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        pass


def test_a_busy_service_is_asked_again_for_the_same_job() -> None:
    pauses: list[float] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Client(f"http://127.0.0.1:{server.server_address[1]}", sleep=pauses.append) as client:
        assert client.submit(b"x").id == "a"
    server.shutdown()
    server.server_close()
    assert len(set(Busy.keys)) == 1
    assert len(pauses) == 2
    assert all(3 <= pause <= 3 * 1.5 * 1.3 * 1.2 for pause in pauses)


def test_no_server_is_reported_at_once() -> None:
    with Client(f"http://127.0.0.1:{free_port()}") as client, pytest.raises(NoAnswer) as caught:
        client.submit(b"x")
    assert caught.value.retry_after is None
    assert "refused" in caught.value.detail


@pytest.mark.parametrize(
    "url", ["", "localhost:5000", "ftp://h", "http://", "http://h h", "http://[", "http://h:x"]
)
def test_a_malformed_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be a URL"):
        Client(url)


@pytest.mark.parametrize("key", ["a\nb", " ", "", "caf\u00e9", "\x00"])
def test_a_key_that_no_header_can_hold_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="API key"):
        Client("http://h", key)


def test_it_loads_nothing_of_the_server() -> None:
    code = (
        "import sys, cropsvc.client; print([n for n in sys.modules if n.split('.')[0] in"
        " ('flask', 'rq', 'redis', 'PIL', 'gevent', 'click', 'werkzeug')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
