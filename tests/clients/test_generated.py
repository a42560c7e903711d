"""Clients that others' generators make from /openapi.json work, as the how-to says."""

import re
from pathlib import Path

import pytest

from tests import pictures
from tests.clients.test_javascript import node, readme_sample
from tests.stack import ROOT, Stack
from tests.tools import node_tools, python_tools, run

PAGE = (ROOT / "docs" / "howto" / "generate-clients.md").read_text(encoding="utf-8")
QUIET = {"REDOCLY_TELEMETRY": "off"}
PROGRAM = """
import { readFileSync, writeFileSync } from "node:fs";
import { crop } from "./crop.js";
const [url] = process.argv.slice(2);
const image = new Blob([readFileSync("in.jpg")]);
writeFileSync("out.jpg", Buffer.from(await (await crop(url, image, "40x20")).arrayBuffer()));
console.log(await crop(url, image, "0x0").catch((error) => error.message));
"""


def sample(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a program runs that crops in.jpg."""
    (tmp_path / "in.jpg").write_bytes(pictures.jpeg(400, 300))
    return tmp_path


def cropped(folder: Path) -> tuple[int, int]:
    height, width = pictures.decode((folder / "out.jpg").read_bytes()).shape[:2]
    return width, height


def test_a_python_client_is_generated_and_crops(stack: Stack, folder: Path) -> None:
    tools = python_tools()
    (folder / "config.yaml").write_text(sample("yaml"))
    said = run(
        "sh", "-c", 'exec "$@" 2>&1', "sh",
        tools / "openapi-python-client", "generate", "--url", f"{stack.url}/openapi.json",
        "--config", "config.yaml", "--meta", "none", "--output-path", "crop_api",
        cwd=folder, PATH=f"{tools}:/usr/bin:/bin",
    )  # fmt: skip
    left_out = re.findall(r"WARNING parsing (.*?) within.*?\n+(.*)", said)
    assert left_out == [(f"POST /v1/{n}", "Unsupported content type image/*") for n in
                        ("crops", "detect")], said  # fmt: skip
    models = {path.stem for path in (folder / "crop_api" / "models").iterdir()}
    assert {"image_form", "source_form", "fit", "job", "problem"} <= models
    assert not [name for name in models if re.search(r"_response_4\d\d", name)]
    (folder / "program.py").write_text(sample("python"))
    run(tools / "python", "program.py", stack.url, cwd=folder)
    assert cropped(folder) == (40, 20)


def test_a_typescript_client_is_generated_checked_and_crops(stack: Stack, folder: Path) -> None:
    program, tools = node(), node_tools()
    (folder / "node_modules").symlink_to(tools)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "crop.ts").write_text(sample("ts"))
    (folder / "program.mjs").write_text(PROGRAM)
    client = (ROOT / "clients" / "js" / "index.js").as_posix()
    declared = "declare const file: Blob;\n"
    (folder / "readme.ts").write_text(declared + readme_sample().replace("./index.js", client))
    types = (f"{stack.url}/openapi.json", "-o", "crop-api.d.ts")
    run(tools / ".bin" / "openapi-typescript", *types, cwd=folder, **QUIET)
    options = ("--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck")
    run(tools / ".bin" / "tsc", *options, "crop.ts", "readme.ts", cwd=folder)
    refused = run(program, "program.mjs", stack.url, cwd=folder)
    assert cropped(folder) == (40, 20)
    assert "size" in refused


def test_the_types_of_the_javascript_client_are_those_of_the_document(tmp_path: Path) -> None:
    node_tools()
    made = tmp_path / "openapi.d.ts"
    run("make", "--no-print-directory", "types", f"TYPES={made}", cwd=ROOT)
    kept = ROOT / "clients" / "js" / "openapi.d.ts"
    assert without_comments(made) == without_comments(kept), "run `make types`"


def without_comments(path: Path) -> str:
    return re.sub(r"\s*/\*\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
