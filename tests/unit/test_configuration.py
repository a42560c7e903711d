"""The settings stand in four places; this compares the page and the compose file with the code."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from cropsvc.settings.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
CODE = (ROOT / "cropsvc" / "settings" / "settings.py").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
NAMES = set(re.findall(r'read\(\s*"([A-Z_]+)"', CODE))
ROWS = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", PAGE, re.MULTILINE))
NOT_IN_COMPOSE = {  # what the compose file decides itself
    "CROPSVC_QUEUE",  # by QUEUE= of make
    "CROPSVC_BIND",  # a container listens on all of its addresses
}
UNITS = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


def test_every_setting_is_read_by_name() -> None:
    assert len(NAMES) == len(fields(Settings))


def test_the_page_has_a_row_for_each_setting_and_no_other() -> None:
    assert set(ROWS) == NAMES


@pytest.mark.parametrize("name", sorted(ROWS))
def test_the_page_states_the_default_of_the_code(name: str) -> None:
    field = name.removeprefix("CROPSVC_").lower()
    default = vars(Settings()).get(field)
    stated = ROWS[name].strip("`")
    number = re.fullmatch(r"(\d+)(?: (KiB|MiB|GiB))?", stated)
    if number:
        assert default == int(number[1]) * UNITS.get(number[2], 1)
    elif stated not in ("none", "off", "embedded") and " " not in stated:
        assert default == stated


def test_the_compose_file_passes_every_setting_on() -> None:
    missing = {name for name in NAMES if not re.search(rf"\b{name}(_FILE)?\b", COMPOSE)}
    assert missing - NOT_IN_COMPOSE == set()
