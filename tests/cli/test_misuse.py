"""What a user may get wrong: one line that says so, no traceback, the shell's usual status."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import pictures
from tests.stack import ROOT, Stack

COMMAND = [sys.executable, "-m", "cropsvc"]


def ran(*arguments: object, cwd: Path, **options: object) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=cwd, env=environ, text=True,
        stderr=subprocess.PIPE, timeout=60, **{"stdout": subprocess.PIPE, **options},
    )  # type: ignore[call-overload]  # fmt: skip


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(pictures.jpeg(60, 40))
    return path


@pytest.mark.parametrize("suffix", ["tiff", "bmp", "heic", "jpgg", "txt"])
@pytest.mark.parametrize("command", ["crop", "local"])
def test_a_suffix_that_cannot_be_written_is_refused(
    photo: Path, tmp_path: Path, command: str, suffix: str
) -> None:
    done = ran(command, photo, "-o", f"out/x.{suffix}", cwd=tmp_path)
    assert done.returncode == 2
    assert f".{suffix} files cannot be written" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_suffix_of_another_format_is_refused(photo: Path, tmp_path: Path) -> None:
    done = ran("local", photo, "-o", "x.png", "--format", "jpeg", cwd=tmp_path)
    assert done.returncode == 2
    assert "its suffix is not that of --format jpeg" in done.stderr


@pytest.mark.parametrize("server", ["localhost", "http://[", "http://h h", "http://h:x", "//h"])
def test_a_malformed_server_is_refused(photo: Path, tmp_path: Path, server: str) -> None:
    done = ran("crop", photo, "--server", server, cwd=tmp_path)
    assert done.returncode == 2
    assert "must be a URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_key_with_a_line_break_is_refused(photo: Path, tmp_path: Path) -> None:
    done = ran("crop", photo, "--key", "a\nb", cwd=tmp_path)
    assert done.returncode == 2
    assert "the API key must be" in done.stderr


def test_nobody_reading_the_output_is_one_line(photo: Path, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = ran("local", photo, "-o", "-", cwd=tmp_path, stdout=closed)
    assert done.returncode == 1
    assert "nobody reads the standard output" in done.stderr
    assert "Traceback" not in done.stderr
    assert "BrokenPipeError" not in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_a_closed_stream_is_no_traceback(photo: Path, tmp_path: Path, closed: str) -> None:
    line = f"'{sys.executable}' -m cropsvc local photo.jpg -o - {closed} 2>err >out || true"
    if closed == ">&-":
        line = f"'{sys.executable}' -m cropsvc local photo.jpg -o - 2>err >&- || true"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(["sh", "-c", line], cwd=tmp_path, env=environ, check=True, timeout=60)
    assert "Traceback" not in (tmp_path / "err").read_text()


def test_control_characters_of_a_name_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[31mb.jpg").write_bytes(b"no image")
    done = ran("local", "a\x1b[31mb.jpg", cwd=tmp_path)
    assert done.returncode == 1
    assert "\x1b" not in done.stderr
    assert "a\\x1b[31mb.jpg" in done.stderr


def with_interrupts() -> None:
    """Undo what a shell does to a program that it starts in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_ctrl_c_ends_local_with_the_shells_status(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"{number}.jpg").write_bytes(pictures.large(seed=1))
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    names = [f"{number}.jpg" for number in range(60)]
    with subprocess.Popen(
        [*COMMAND, "local", *names, "--format", "avif", "-o", "out/"], cwd=tmp_path, env=environ,
        stderr=subprocess.PIPE, text=True, preexec_fn=with_interrupts,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 30
        while not list(tmp_path.glob("out/*.avif")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in words


def test_an_unreachable_server_is_reported_at_once(photo: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    done = ran("crop", photo, "--server", "http://127.0.0.1:9", cwd=tmp_path)
    assert done.returncode == 1
    assert "no answer from http://127.0.0.1:9" in done.stderr
    assert time.monotonic() - began < 10


def test_the_right_things_still_work(stack: Stack, photo: Path, tmp_path: Path) -> None:
    done = ran("crop", photo, "--size", "9x9", "-o", "x.webp", "--server", stack.url, cwd=tmp_path)
    assert (done.returncode, (tmp_path / "x.webp").read_bytes()[:4]) == (0, b"RIFF")
