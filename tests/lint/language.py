"""Words that this project does not use in its prose (CONTRIBUTING.md says which to use instead).

Looked at are Markdown files, and comments, docstrings and texts of the code. A line that needs
one of them in its usual sense ends with `language: ok`, or has a row in ALLOWED.
"""

import re
import subprocess
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

BANNED = {  # pattern -> what to write instead
    r"told|tells?\b(?! apart)": "say, show, report or return",
    r"words": "message or text",
    r"anew": "again",
    r"for ever": "forever, or without a limit",
    r"of (ours|theirs)": "our, their",
    r"hand(s|ed|ing)? in": "upload or submit",
    r"mends?|mended": "fix or repair",
    r"by itself": "automatically, or on its own",
    r"meanwhile": "while it runs",
    r"whoever": "a client that",
    r"shall": "will or must",
    r"such as": "for example",
    r"way out": "outbound network",
    r"pictures?": "image",
}
PATTERN = re.compile(r"\b(" + "|".join(f"(?:{one})" for one in BANNED) + r")\b", re.IGNORECASE)
PYTHON_PROSE = ("COMMENT", "STRING", "FSTRING_MIDDLE")
FIELD = re.compile(r"\{[^{}]*\}")  # of an f-string
SCRIPT_PROSE = re.compile(r"""//.*|/?\*\*? .*|"[^"]*\s[^"]*"|`[^`]*\s[^`]*`""")
TEMPLATE_CODE = re.compile(
    r"""\{\{.*?\}\}|\{%.*?%\}|\b(class|id|for|href|src|name|data-[a-z]+)="[^"]*\""""
)
SUFFIXES = (".md", ".py", ".js", ".html", ".lua", ".yml", ".toml")
ALLOWED = {  # file or folder -> why it may use any word
    "CONTRIBUTING.md": "lists the banned words",
    "CHANGELOG.md": "its past is not rewritten",
    "LICENSE": "a licence",
    "tests/": "not rewritten yet",
    "bench/": "not rewritten yet",
    "cropsvc/web/static/vendor/": "of others",
}
NOT_YET: tuple[str, ...] = ()


def violations(root: Path) -> Iterator[str]:
    """Yield a line for each word that is not to be used."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.split("\n"):
        if name.endswith(SUFFIXES) and not name.startswith((*ALLOWED, *NOT_YET)):
            yield from _in_file(root, name)


def _in_file(root: Path, name: str) -> Iterator[str]:
    text = (root / name).read_text(encoding="utf-8")
    lines = text.splitlines()
    for number, prose in _prose(name, text):
        if "language: ok" in lines[number - 1]:
            continue
        for found in PATTERN.finditer(prose):
            yield f"{name}:{number}: '{found[0]}': {_instead(found[0])}"


def _prose(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield what is read by people, with its line; names of variables and elements are not."""
    if name.endswith(".py"):
        yield from _python(text)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if name.endswith(".js"):
            yield number, " ".join(found[0] for found in SCRIPT_PROSE.finditer(line))
        elif name.endswith(".html"):
            yield number, TEMPLATE_CODE.sub("", line)
        else:
            yield number, line


def _python(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(StringIO(text).readline):
        if tokenize.tok_name[token.type] in PYTHON_PROSE:
            for offset, line in enumerate(token.string.splitlines()):
                yield token.start[0] + offset, FIELD.sub("", line)


def _instead(word: str) -> str:
    return next(
        f"write {better}"
        for pattern, better in BANNED.items()
        if re.fullmatch(pattern, word, re.IGNORECASE)
    )
