"""The examples run as their README says."""

import importlib.util
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import pictures
from tests.components import require
from tests.stack import ROOT, Stack

EXAMPLES = ROOT / "examples"


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
    command = ["sh", str(EXAMPLES / "shell" / "thumbnails.sh"), "out", *names]
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


def test_the_flask_application_crops_an_avatar(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROPSVC_URL", stack.url)
    spec = importlib.util.spec_from_file_location("avatar", EXAMPLES / "flask-avatar" / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "avatar", module)  # Flask looks for its templates there
    spec.loader.exec_module(module)
    browser = module.app.test_client()

    assert b"photo" in browser.get("/").data
    with (EXAMPLES.parent / "cropsvc/web/static/sample.jpg").open("rb") as file:
        answer = browser.post("/avatar", data={"photo": file})
    assert answer.content_type == "image/webp"
    assert pictures.decode(answer.data).shape[:2] == (256, 256)
    answer = browser.post("/avatar", data={"photo": (io.BytesIO(b"no image"), "a.txt")})
    assert (answer.status_code, answer.content_type) == (415, "text/plain")
    assert b"JPEG" in answer.data
