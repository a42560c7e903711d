"""What is shipped: locked with hashes, above the floors, and listed by `make sbom`."""

import json
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.stack import ROOT

LOCKS = (
    "requirements.txt",
    "requirements/celery.txt",
    "requirements/tracing.txt",
    "requirements/dev.txt",
    "requirements/clients.txt",
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def locked(lock: str) -> dict[str, tuple[Requirement, int]]:
    """Each requirement of a lock that holds for this Python, and how many hashes it has."""
    entries = re.split(r"\n(?=[a-z])", (ROOT / lock).read_text())
    parsed = [
        (Requirement(e.partition("\\")[0].strip()), e.count("--hash=sha256:")) for e in entries
    ]
    return {
        canonicalize_name(one.name): (one, hashes)
        for one, hashes in parsed
        if one.marker is None or one.marker.evaluate()
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_its_hashes(lock: str) -> None:
    entries = locked(lock)
    assert len(entries) >= 30
    for name, (requirement, hashes) in entries.items():
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), name
        assert hashes >= 1, name


def test_every_floor_is_kept_and_says_why() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    pins = locked("requirements.txt")
    for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["server"]:
        floor = Requirement(text)
        pin, _ = pins[canonicalize_name(floor.name)]
        assert floor.specifier.contains(str(pin.specifier).removeprefix("==")), text
        [line] = [line for line in lines if line.strip().startswith(f'"{text}"')]
        assert re.search(r"#\s*\S{2,}", line), f"{text} has no reason"


def test_a_client_installs_urllib3_and_nothing_else() -> None:
    assert [*locked("requirements/client.txt")] == ["urllib3"]
    assert PROJECT["optional-dependencies"]["client"] == []


def test_pillow_brings_a_libwebp_without_the_known_hole() -> None:
    assert Version(metadata.version("pillow")) >= Version("12.3")  # CVE-2026-59199
    files = metadata.files("pillow") or []
    [bom] = [file for file in files if re.search(r"sboms/pillow.*\.cdx\.json$", str(file))]
    components = json.loads(Path(bom.locate()).read_text())["components"]
    [libwebp] = {c["version"] for c in components if c["name"].lower() == "libwebp"}
    assert Version(libwebp) >= Version("1.3.2")  # CVE-2023-4863


def test_make_sbom_lists_what_is_installed_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "sbom.json"
    subprocess.run(["make", "sbom", f"SBOM={path}"], cwd=ROOT, check=True, capture_output=True)
    text = path.read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bom = json.loads(text)
    listed = {canonicalize_name(c["name"]): c["version"] for c in bom["components"]}
    pins = {
        name: str(requirement.specifier).removeprefix("==")
        for name, (requirement, _) in locked("requirements.txt").items()
    }
    assert listed == pins
    assert all(c["purl"].startswith("pkg:pypi/") for c in bom["components"])
    assert all(c["licenses"] for c in bom["components"])
    assert bom["metadata"]["component"]["name"] == "cropsvc"


LEAKS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b"
    r"|\b(?:amqps?|rediss?)://[^:@/\s]*:[A-Za-z0-9_-]{12,}@|\bxox[abp]-[0-9A-Za-z-]{10,}"
)


def test_no_secret_is_in_the_tree() -> None:
    places = [ROOT / name for name in ("cropsvc", "compose", "docs", "make", "bench", "tests")]
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    files += [path for path in ROOT.iterdir() if path.is_file()]
    texts = {path: path.read_bytes().decode("latin-1") for path in files}
    assert len(texts) > 200
    assert {
        str(path): LEAKS.findall(text) for path, text in texts.items() if LEAKS.search(text)
    } == {}
