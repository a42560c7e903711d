"""Each row of the reliability page names what covers it; test_docs.py checks that it exists."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "reliability.md"
ROWS = re.findall(r"^\| ([A-Z]\d+(?:, [A-Z]\d+)*) \|(.*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
COVERED = re.compile(r"`[\w/]*test_\w+\.py|campaign|`make (chaos|test)|Declined", re.IGNORECASE)


def test_the_page_has_its_rows() -> None:
    assert len(ROWS) >= 70
    assert len({name for name, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[name for name, _ in ROWS])
def test_a_promise_or_fault_names_what_covers_it(name: str, row: str) -> None:
    assert COVERED.search(row.split("|")[-1]), f"{name} names no test"
