"""The shell example runs as its README says; others have files of their own."""

import os
import subprocess
from pathlib import Path

from tests import pictures
from tests.components import require
from tests.stack import Stack
from tests.tools import checkout


def test_the_shell_pipeline_makes_thumbnails_and_names_what_failed(
    stack: Stack, tmp_path: Path
) -> None:
    require("jq")
    require("curl")
    for name in ("one.jpg", "two words.jpg"):
        (tmp_path / name).write_bytes(pictures.jpeg(400, 300 + len(name)))
    (tmp_path / "no image.jpg").write_text("no picture")
    (tmp_path / "cut.avif").write_bytes(pictures.encode(pictures.photo(64, 48), "avif")[:-300])
    names = ["one.jpg", "no image.jpg", "cut.avif", "two words.jpg"]
    clone = checkout(tmp_path / "clone", "examples/shell")
    command = ["sh", str(clone / "examples" / "shell" / "thumbnails.sh"), "out", *names]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "CROPSVC_URL": stack.url},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    for name in ("no image.jpg: ", "cut.avif: "):  # refused at the submit, and by the worker
        assert name in done.stderr
    for name in ("one.webp", "two words.webp"):
        made = pictures.decode((tmp_path / "out" / name).read_bytes())
        assert made.shape[:2] == (200, 200)
