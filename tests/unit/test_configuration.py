"""A setting is one row of the code; the page is written from it, and compose passes it on."""

import re
from pathlib import Path

import pytest

from cropsvc.settings import page
from cropsvc.settings.settings import rows

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
NOT_IN_COMPOSE = {  # what the compose file decides itself
    "CROPSVC_QUEUE",  # by QUEUE= of make
    "CROPSVC_BIND",  # a container listens on all of its addresses
}


def test_the_reference_page_is_as_the_code_writes_it() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.text()


@pytest.mark.parametrize("name", sorted({row.variable for row in rows()} - NOT_IN_COMPOSE))
def test_the_compose_file_passes_the_setting_on(name: str) -> None:
    assert re.search(rf"\b{name}(_FILE)?\b", COMPOSE)


def test_no_two_settings_share_a_variable() -> None:
    names = [row.variable for row in rows()]
    assert sorted(set(names)) == sorted(names)
