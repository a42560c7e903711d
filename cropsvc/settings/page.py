"""Writes the reference page of the settings: `python -m cropsvc.settings.page`."""

from itertools import groupby
from pathlib import Path

from cropsvc.settings.rows import Row
from cropsvc.settings.settings import rows

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "configuration.md"
HEAD = """\
# Configuration

Set environment variables, or pass them as arguments of make: `make run PORT=8000 WORKERS=1`.
A wrong value, or a misspelt name, stops the start with one line that names the variable.
A file can hold the value instead: `CROPSVC_SECRET_FILE=/path` stands for `CROPSVC_SECRET`.
Sizes are bytes, or a number with `KiB`, `MiB` or `GiB`.
An empty value means the default.

`python -m cropsvc.settings.page` writes this page from `cropsvc/settings/settings.py`.
"""


def text() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for group, found in groupby(rows(), lambda row: row.group):
        parts.append(f"\n## {group}\n\n| variable | default | meaning |\n|---|---|---|\n")
        parts.extend(_line(row) for row in found)
    return "".join(parts)


def _line(row: Row) -> str:
    meaning = row.meaning.replace("](docs/", "](../")  # the page is in docs/reference
    return f"| `{row.variable}` | {row.shown_default} | {meaning} |\n"


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
