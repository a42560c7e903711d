"""The samples of the how-to verify what is sent, in Python and in Node."""

import json
import re
import shutil
import subprocess

import pytest

from cropsvc.webhooks.delivery import headers_of, message
from tests.stack import ROOT
from tests.webhooks.test_delivery import JOB, NEW

PAGE = (ROOT / "docs" / "howto" / "webhooks.md").read_text(encoding="utf-8")


def sample(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_sample_in_python_verifies() -> None:
    namespace: dict = {}
    exec(sample("python"), namespace)
    body = message(JOB)
    found = namespace["verified"](NEW, body.decode(), headers_of(JOB, body, (NEW,)))
    assert found["type"] == "crop.done"


@pytest.mark.parametrize("changed", [False, True])
def test_the_sample_in_node_verifies_and_refuses_a_changed_body(tmp_path, changed: bool) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    body = message(JOB)
    headers = headers_of(JOB, body, (NEW,))
    (tmp_path / "verified.mjs").write_text(sample("js"))
    given = json.dumps([NEW, body.decode() + (" " if changed else ""), headers])
    (tmp_path / "run.mjs").write_text(
        f'import {{ verified }} from "./verified.mjs"; console.log(verified(...{given}).type)'
    )
    done = subprocess.run([node, "run.mjs"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == ("" if changed else "crop.done\n")
    assert ("wrong signature" in done.stderr) == changed
