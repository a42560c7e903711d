"""`python -m cropsvc crop` against a real service."""

import hashlib
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests import pictures
from tests.cli.command import run, start
from tests.stack import Stack, until

KEY = "correct horse"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(pictures.jpeg(400, 300))
    return path


def size_of(path: Path) -> tuple[int, int]:
    height, width = pictures.decode(path.read_bytes()).shape[:2]
    return width, height


def test_one_command_crops_a_file(stack: Stack, photo: Path, tmp_path: Path) -> None:
    status, out, words = run(
        "crop", photo, "--box", "10%,10%,80%,80%", "--size", "300x300", "-o", "out.jpg",
        "--server", stack.url, cwd=tmp_path,
    )  # fmt: skip

    assert (status, out) == (0, b"")
    assert size_of(tmp_path / "out.jpg") == (300, 300)
    assert "out.jpg: 300x300 jpeg" in words


def test_the_bytes_are_those_of_the_api(stack: Stack, photo: Path, tmp_path: Path) -> None:
    run("crop", photo, "--size", "90x", "-o", "out.png", "--server", stack.url, cwd=tmp_path)

    answer = httpx.post(
        f"{stack.url}/v1/crops?size=90x&format=png&wait=20",
        content=photo.read_bytes(),
        headers={"Content-Type": "image/jpeg"},
    ).json()
    made = (tmp_path / "out.png").read_bytes()
    assert hashlib.sha256(made).hexdigest() == answer["outputs"][0]["sha256"]


@pytest.mark.parametrize(("suffix", "magic"), [("webp", b"RIFF"), ("png", b"\x89PNG")])
def test_the_suffix_chooses_the_format(
    stack: Stack, photo: Path, tmp_path: Path, suffix: str, magic: bytes
) -> None:
    run("crop", photo, "-o", f"out.{suffix}", "--server", stack.url, cwd=tmp_path)

    assert (tmp_path / f"out.{suffix}").read_bytes().startswith(magic)


def test_several_files_go_into_a_directory(stack: Stack, tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.png").write_bytes(pictures.unlike(number))
    names = [f"{number}.png" for number in range(6)]

    status, _, _ = run(
        "crop", *names, "--size", "20x", "-o", "small/", "--server", stack.url, cwd=tmp_path
    )

    assert status == 0
    assert {path.name for path in (tmp_path / "small").iterdir()} == set(names)


def test_outputs_are_named_apart(stack: Stack, photo: Path, tmp_path: Path) -> None:
    outputs = '[{"size": "40x30"}, {"name": "wide", "size": "80x20"}]'

    run("crop", photo, "--outputs", outputs, "-o", "a.jpg", "--server", stack.url, cwd=tmp_path)

    assert size_of(tmp_path / "a-0.jpg") == (40, 30)
    assert size_of(tmp_path / "a-wide.jpg") == (80, 20)


def test_standard_input_goes_to_standard_output(stack: Stack, tmp_path: Path) -> None:
    status, out, _ = run(
        "crop", "-", "--size", "30x20", "--server", stack.url, cwd=tmp_path, stdin=pictures.png()
    )

    assert status == 0
    assert pictures.decode(out).shape[:2] == (20, 30)


def test_a_refusal_names_field_and_code(stack: Stack, photo: Path, tmp_path: Path) -> None:
    status, _, words = run(
        "crop", photo, "--box", "9000,0,10,10", "--server", stack.url, cwd=tmp_path
    )

    assert status == 1
    assert "box: " in words
    assert "422 box-outside" in words
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_wrong_parameter_is_refused_before_anything_is_sent(photo: Path, tmp_path: Path) -> None:
    status, _, words = run("crop", photo, "--quality", "101", cwd=tmp_path)

    assert status == 2
    assert "quality: '101': must be a whole number from 1 to 100" in words


def test_one_bad_file_does_not_stop_the_others(stack: Stack, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no picture")

    status, _, words = run(
        "crop", "bad.jpg", "photo.jpg", "-o", "out/", "--server", stack.url, cwd=tmp_path
    )

    assert status == 1
    assert "bad.jpg: " in words
    assert "415 unsupported-format" in words
    assert (tmp_path / "out" / "photo.jpg").exists()


def test_nobody_there_is_said_at_once(photo: Path, tmp_path: Path) -> None:
    status, _, words = run("crop", photo, "--server", "http://127.0.0.1:1", cwd=tmp_path)

    assert status == 1
    assert "no answer from http://127.0.0.1:1" in words


def test_the_source_is_never_overwritten(stack: Stack, photo: Path, tmp_path: Path) -> None:
    before = photo.read_bytes()

    status, _, words = run("crop", photo, "-o", photo, "--server", stack.url, cwd=tmp_path)

    assert status == 1
    assert "overwrite" in words
    assert photo.read_bytes() == before


@pytest.mark.parametrize("target", ["one.jpg", "{nothing}.jpg"])
def test_a_target_that_cannot_hold_all_is_refused(tmp_path: Path, target: str) -> None:
    status, _, words = run("crop", "a.jpg", "b.jpg", "-o", target, cwd=tmp_path)

    assert status == 2
    assert "-o" in words


@pytest.fixture(scope="module")
def idle(make_module_stack) -> Stack:  # type: ignore[no-untyped-def]
    key = hashlib.sha256(KEY.encode()).hexdigest()
    return make_module_stack(worker=False, api_keys=f"me:{key}")


def test_ctrl_c_cancels_the_job(idle: Stack, photo: Path, tmp_path: Path) -> None:
    client = idle.redis()
    process = start("crop", photo, "--server", idle.url, cwd=tmp_path, environ={"CROPSVC_KEY": KEY})
    until(lambda: client.keys("cropsvc:job:me:*"), seconds=20, what="the job is there")

    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=20)

    assert process.returncode == 130, words
    (record,) = client.keys("cropsvc:job:me:*")
    assert client.hget(record, "state") == b"canceled"


def test_without_the_key_the_command_prints_401(idle: Stack, photo: Path, tmp_path: Path) -> None:
    status, _, words = run("crop", photo, "--server", idle.url, cwd=tmp_path)

    assert status == 1
    assert "401 unauthorized" in words


class Reluctant(BaseHTTPRequestHandler):
    """Answers the first two submits with 429 and 503, then refuses for good."""

    seen: list[str | None]

    def do_POST(self) -> None:
        """Takes a submit."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(self.headers["Idempotency-Key"])
        status = {1: 429, 2: 503}.get(len(self.seen), 422)
        body = b'{"code": "x", "detail": "no more"}'
        self.send_response(status)
        self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def test_a_busy_server_is_asked_again_for_the_same_job(photo: Path, tmp_path: Path) -> None:
    handler = type("Handler", (Reluctant,), {"seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        status, _, words = run("crop", photo, "--server", url, cwd=tmp_path)
        server.shutdown()

    assert status == 1
    assert "no more (422 x)" in words
    assert len(handler.seen) == 3  # type: ignore[attr-defined]
    (key,) = set(handler.seen)  # type: ignore[attr-defined]
    assert key


def test_patience_ends(photo: Path, tmp_path: Path) -> None:
    handler = type("Handler", (Reluctant,), {"seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        status, _, words = run("crop", photo, "--patience", 0.5, "--server", url, cwd=tmp_path)
        server.shutdown()

    assert status == 1
    assert "no more (429 x)" in words
    assert len(handler.seen) == 1  # type: ignore[attr-defined]
