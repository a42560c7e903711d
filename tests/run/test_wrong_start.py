"""Starts that cannot succeed end with one line, or wait in few words."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cropsvc.run import valkey
from tests.stack import Stack, until

FEW_LINES = 12  # of a worker's log, its start included


def start(**environ: str) -> subprocess.CompletedProcess[str]:
    """`make run`, without make."""
    return subprocess.run(
        [sys.executable, "-m", "cropsvc.run.local"],
        env={**os.environ, **environ}, capture_output=True, text=True, timeout=20,
    )  # fmt: skip


@contextmanager
def read_only(stack: Stack) -> Iterator[None]:
    """The store is a replica whose master does not answer."""
    client = stack.redis()
    client.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        yield
    finally:
        client.execute_command("REPLICAOF", "NO", "ONE")


@pytest.mark.parametrize("bind", ["no-such-host.invalid", "192.0.2.1", "a..b"])
def test_an_address_of_another_machine_is_refused_as_such(bind: str) -> None:
    began = time.monotonic()
    done = start(CROPSVC_BIND=bind)
    assert done.returncode == 1
    assert done.stderr.startswith(f"cropsvc: CROPSVC_BIND='{bind}': ")
    assert done.stderr.count("\n") == 1
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("kind", ["file", "no-write", "url-is-a-directory"])
def test_an_unusable_directory_stops_the_start_with_one_line(tmp_path: Path, kind: str) -> None:
    directory = tmp_path / "var"
    if kind == "file":
        directory.write_text("")
    elif kind == "no-write":
        directory.symlink_to("/proc/1")  # even root cannot write there
    else:
        (directory / "redis-url").mkdir(parents=True)
    with pytest.raises(valkey.Unusable) as caught:
        valkey.prepare(directory)
    assert str(directory) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe\x00", b"redis://h:99999/", b"redis://[", b"nonsense"]
)
def test_a_damaged_note_of_the_url_is_written_again(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "redis-url").write_bytes(text)
    prepared = valkey.prepare(tmp_path)
    assert prepared.url_file.read_text().strip() == prepared.url
    for descriptor in prepared.program.keep:
        os.close(descriptor)


def test_make_run_refuses_a_read_only_store(idle_stack: Stack) -> None:
    with read_only(idle_stack):
        done = start(CROPSVC_REDIS_URL=idle_stack.redis_url, CROPSVC_BIND="127.0.0.1", PORT="5999")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "cropsvc: CROPSVC_REDIS_URL: this server is a read-only replica; name its master"
    )


def test_a_worker_waits_with_few_log_lines_for_a_writable_store(idle_stack: Stack) -> None:
    with read_only(idle_stack):
        idle_stack.worker.start()
        log = idle_stack.worker.log
        until(lambda: "read only" in log.read_text().lower(), seconds=15, what="it says why")
        time.sleep(2.5)  # two more tries
        assert len(log.read_text().splitlines()) <= FEW_LINES
        assert "Traceback" not in log.read_text()
    idle_stack.wait_ready()
