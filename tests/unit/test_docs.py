"""Check that everything the repository cites exists: links, anchors, pages, decisions, tests."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

import pytest

from cropsvc.imaging.params.table import PARAMETERS

ROOT = Path(__file__).resolve().parents[2]

SKIPPED = {"var", "build", "secrets", "node_modules", "__pycache__"}  # made, not written
SUFFIXES = {
    *(".md", ".py", ".toml", ".yml", ".yaml", ".mk", ".conf", ".sh", ".lua"),
    *(".js", ".css", ".html", ".cfg", ".ini"),
}
NAMES = {"Makefile", "Dockerfile"}
DECISIONS = "docs/decisions"
NO_PAGES = ("field guide", "fault model", "of the issue")
"""Documents that comments have cited and that are not in the repository."""

FENCE = re.compile(r"^\s*(```|~~~)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
CODE_SPAN = re.compile(r"`[^`]*`")
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\s*\[[^\]]+\]:\s*(\S+)")
MD_LINK = re.compile(r"!?\[[^\]]*\]\([^)]*\)")
HTML_LINK = re.compile(r"(?:href|src)=\"([^\"]+)\"")
EXTERNAL = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)

START = r"(?<![\w./}>-])"  # not in the middle of a longer path
PAGE = re.compile(START + r"((?:\.\./)*[\w][\w./-]*\.md)\b(?:#([\w-]+))?")
IN_DOCS = re.compile(START + r"(docs/[\w./-]*\w)")
IN_CODE = re.compile(r"`(cropsvc/[\w./-]+)`")
IN_TESTS = re.compile(START + r"(tests/[\w./-]*\w)(?![\w*{<\[])")
TEST = re.compile(START + r"((?:[\w-]+/)*test_\w+\.py)|::(test_\w+)|`(test_\w+)`(?!\.)")
DECISION = re.compile(r"\bdecisions?\s+(\d{1,4})\b", re.IGNORECASE)
MISPLACED = re.compile(r"\.md,? decisions?\s+\d")
DEF = re.compile(r"^\s*(?:async )?def (test_\w+)", re.MULTILINE)


def anchor(heading: str) -> str:
    """Return GitHub's anchor of a heading: lower case, no punctuation, dashes for spaces."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of a Markdown text that are outside of fenced code."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, line


def anchors(text: str) -> set[str]:
    """Return all anchors of a Markdown text; a repeated heading gets a number."""
    found: dict[str, int] = {}
    for _, line in prose(text):
        if match := HEADING.match(line):
            name = anchor(match[1])
            found[name] = found.get(name, 0) + 1
    numbered = {f"{name}-{n}" for name, count in found.items() for n in range(1, count)}
    return found.keys() | numbered


@dataclass(frozen=True)
class Tree:
    """The repository's files, and what can be cited in them."""

    root: Path

    @cached_property
    def files(self) -> dict[Path, str]:
        """The text of every file that may cite something, except this test."""
        found = {}
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if f not in SKIPPED and not f.startswith(".")]
            for path in (Path(folder) / name for name in names):
                if path != Path(__file__).resolve() and _is_text(path):
                    found[path] = path.read_text(encoding="utf-8")
        return found

    @cached_property
    def pages(self) -> dict[Path, str]:
        """The Markdown files."""
        return {path: text for path, text in self.files.items() if path.suffix == ".md"}

    @cached_property
    def tests(self) -> dict[Path, set[str]]:
        """The test functions of each file of `tests/`."""
        folder = self.root / "tests"
        return {path: set(DEF.findall(path.read_text("utf-8"))) for path in folder.rglob("*.py")}

    def is_decision(self, number: int) -> bool:
        """Return whether the decision with that number has a page."""
        return any((self.root / DECISIONS).glob(f"{number:04d}-*.md"))

    def has_anchor(self, page: Path, name: str) -> bool:
        """Return whether the Markdown file *page* has that anchor."""
        return name.lower() in anchors(page.read_text("utf-8"))

    def violations(self) -> list[str]:
        """Return every citation of something that does not exist, as `file:line: what`."""
        return sorted(
            f"{path.relative_to(self.root)}:{number}: {what}"
            for path, text in self.files.items()
            for number, what in _of_file(self, path, text)
        )


def _is_text(path: Path) -> bool:
    if path.name in NAMES or path.suffix in SUFFIXES:
        return ".min." not in path.name
    return path.parent.name == "compose" and not path.suffix


def _of_file(tree: Tree, path: Path, text: str) -> Iterator[tuple[int, str]]:
    checks: list[Callable[[Tree, Path, str], Iterator[str]]] = [_pages, _tests, _decisions]
    for number, line in enumerate(text.splitlines(), 1):
        for check in checks:
            yield from ((number, what) for what in check(tree, path, line))
    if path.suffix == ".md":
        for number, line in prose(text):
            yield from ((number, what) for what in _links(tree, path, line))
            yield from ((number, what) for what in _code(tree, line))


def _links(tree: Tree, path: Path, line: str) -> Iterator[str]:
    plain = CODE_SPAN.sub("``", line)
    for pattern in (LINK, REFERENCE, HTML_LINK):
        for target in pattern.findall(plain):
            if not EXTERNAL.match(target) and not _resolves(tree, path, target):
                yield f"link {target}"


def _resolves(tree: Tree, page: Path, target: str) -> bool:
    file, _, name = unquote(target).partition("#")
    found = (page.parent / file).resolve() if file else page
    if not found.exists() or not found.is_relative_to(tree.root):
        return False
    return not name or (found.suffix == ".md" and tree.has_anchor(found, name))


def _code(tree: Tree, line: str) -> Iterator[str]:
    for cited in IN_CODE.findall(line):
        if not (tree.root / cited).exists():
            yield f"path {cited}"


def _pages(tree: Tree, path: Path, line: str) -> Iterator[str]:
    if path.suffix == ".md":
        line = MD_LINK.sub("", line)  # `_links` checks them
    for cited, name in PAGE.findall(line):
        if f'"{cited}"' in line and "/" not in cited:
            continue  # a file's name in code, not a citation
        places = (path.parent / cited, tree.root / cited)
        page = next((place for place in places if place.is_file()), None)
        if page is None and not cited.startswith(tuple(f"{made}/" for made in SKIPPED)):
            yield f"page {cited}"
        elif page and name and not tree.has_anchor(page, name):
            yield f"anchor {cited}#{name}"
    for cited in IN_DOCS.findall(line):
        if not cited.endswith(".md") and not (tree.root / cited).exists():
            yield f"path {cited}"
    yield from (f"no such document: {words}" for words in NO_PAGES if words in line.lower())


def _tests(tree: Tree, path: Path, line: str) -> Iterator[str]:
    for cited in IN_TESTS.findall(line):
        if not (tree.root / cited).exists():
            yield f"path {cited}"
    known: set[str] | None = None  # the functions of the file that the line named last
    for file, function, name in TEST.findall(line):
        if file:
            known = _functions(tree, path, file)
            if known is None and not file.startswith("tests/"):
                yield f"test file {file}"
        elif function and known is not None and function not in known:
            yield f"test {function}"
        elif name and not _is_test(tree, name):
            yield f"test {name}"


def _functions(tree: Tree, path: Path, file: str) -> set[str] | None:
    places = (tree.root / file, tree.root / "tests" / file, path.parent / file)
    return next((tree.tests[place] for place in places if place in tree.tests), None)


def _is_test(tree: Tree, name: str) -> bool:
    return any(name == file.stem or name in functions for file, functions in tree.tests.items())


def _decisions(tree: Tree, path: Path, line: str) -> Iterator[str]:
    for number in DECISION.findall(line):
        if not tree.is_decision(int(number)):
            yield f"decision {number}"
    if MISPLACED.search(line):
        yield "a decision cited as part of another page"


def test_everything_that_is_cited_exists() -> None:
    violations = Tree(ROOT).violations()
    assert not violations, "\n" + "\n".join(violations)


def test_every_decision_is_in_the_index_once() -> None:
    folder = ROOT / DECISIONS
    listed = re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    assert listed == sorted(page.name for page in folder.glob("[0-9]*.md"))


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("Health checks", "health-checks"),
        ("`make run`, and more", "make-run-and-more"),
        ("Is it well?", "is-it-well"),
        ("The first version's routes", "the-first-versions-routes"),
        ("1. Use [links](x.md)", "1-use-links"),
        ("RQ 3.0 (`rq>=3,<3.1`)", "rq-30-rq331"),
    ],
)
def test_an_anchor_is_githubs(heading: str, expected: str) -> None:
    assert anchor(heading) == expected


@pytest.mark.parametrize(
    ("file", "line", "expected"),
    [
        ("docs/a.md", "see [b](missing.md)", "link missing.md"),
        ("docs/a.md", "see [b](real.md#none)", "link real.md#none"),
        ("docs/a.md", "see [b](../../outside)", "link ../../outside"),
        ("docs/a.md", "`cropsvc/none.py` does it", "path cropsvc/none.py"),
        ("docs/a.md", "covered by `test_none`", "test test_none"),
        ("docs/a.md", "`tests/test_x.py::test_none`", "test test_none"),
        ("docs/a.md", "`test_x.py::test_real`, `::test_none`", "test test_none"),
        ("docs/a.md", "`web/test_y.py`", "test file web/test_y.py"),
        ("docs/a.yml", "runbook: docs/real.md#none", "anchor docs/real.md#none"),
        ("a.py", "# see docs/none/", "path docs/none"),
        ("a.py", "# see tests/none.py", "path tests/none.py"),
        ("a.py", "# api.md says so", "page api.md"),
        ("a.py", "# (decision 7)", "decision 7"),
        ("a.toml", "# docs/real.md, decision 1", "a decision cited as part of another page"),
        ("a.py", "# H7 of the fault model", "no such document: fault model"),
    ],
)
def test_a_citation_of_nothing_is_found(
    tmp_path: Path, file: str, line: str, expected: str
) -> None:
    _write(tmp_path, file, line)
    found = Tree(tmp_path).violations()
    assert f"{file}:1: {expected}" in found


def test_citations_of_what_exists_are_fine(tmp_path: Path) -> None:
    text = (
        "# A `b`, c\n[x](real.md#a-heading) [up](../a.py) [self](#a-b-c) [out](https://e.org/x.md)\n"
        "`tests/test_x.py::test_real`, `::test_real`, `test_real`, decision 1, `docs/real.md`\n"
        "```\n[not a link](none.md)\n```\n"
    )
    _write(tmp_path, "docs/a.md", text.replace("none.md", "none"))
    assert Tree(tmp_path).violations() == []


def _write(root: Path, file: str, text: str) -> None:
    files = {
        "docs/real.md": "# A heading\n",
        "docs/decisions/0001-x.md": "# 1. X\n",
        "tests/test_x.py": "def test_real():\n    pass\n",
        "a.py": "",
        file: text,
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


def test_the_cli_page_names_every_parameter() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert [row.name for row in PARAMETERS if f"`--{row.name.replace('_', '-')}`" not in page] == []
