"""The page's texts: every language has every one, and the page uses no others."""

import re
from itertools import chain
from pathlib import Path

import pytest
from werkzeug.test import EnvironBuilder

from cropsvc.web import language
from tests.contract.client import NOTES, STATES
from tests.lint.language import PATTERN

WEB = Path(language.__file__).parent
FAMILIES = {  # prefix of keys that the code puts together -> their ends
    "note.": NOTES,
    "title.": STATES,
    "job.": STATES
    | {"upload", "expired", "deleted", "decoding", "cropping", "encoding", "working"}
    | {"busy", "rate-limited"},
    "state.": {"ready", "waiting", "sending", "cropping", "done", "failed", "canceled"},
    "page.gone.": {"not-found"},
    "page.": {"day", "days", "hour", "hours", "minute", "minutes", "second", "seconds"},
}  # fmt: skip
PLACEHOLDER = re.compile(r"\{(\w+)\}")
OTHERS = [one for one in language.LANGUAGES if one != "en"]


def used() -> set[str]:
    """The keys in scripts and templates."""
    files = chain((WEB / "static/js").glob("*.js"), (WEB / "templates").glob("*.html"))
    quoted = re.compile(r'"([a-z][\w-]*(?:\.[\w-]+)+|again|cancel|crop|copied|refused|summary)"')
    calls = (line for file in files for line in file.read_text().splitlines() if "t(" in line)
    found = {key for line in calls for key in quoted.findall(line)}
    return {
        key for key in found if key in language.texts("en") or not key.endswith((".js", ".html"))
    }


def made() -> set[str]:
    return {prefix + end for prefix, ends in FAMILIES.items() for end in ends}


def placeholders(one: str) -> dict[str, list[str]]:
    return {key: sorted(PLACEHOLDER.findall(text)) for key, text in language.texts(one).items()}


@pytest.mark.parametrize("one", OTHERS)
def test_every_language_has_every_text_with_the_same_placeholders(one: str) -> None:
    assert placeholders(one) == placeholders("en")
    assert list(language.texts(one)) == list(language.texts("en"))  # in the same order, to compare
    assert all(text.strip() == text != "" for text in language.texts(one).values())


def test_the_page_has_a_text_for_every_key_and_uses_all() -> None:
    assert made() - set(language.texts("en")) == set()
    assert set(language.texts("en")) - used() - made() == set()
    assert used() - set(language.texts("en")) == set()


def test_the_english_is_plain() -> None:
    assert [text for text in language.texts("en").values() if PATTERN.search(text)] == []


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr-CA", "fr"),
        ("ja", "ja"),
        ("pt,es;q=0.5", "es"),
        ("pt", "en"),
        ("de;q=0, en", "en"),
        ("*", "en"),
        ("\xff;;q=x", "en"),
        (None, "en"),
    ],
)
def test_the_best_language_is_chosen(asked: str | None, answered: str) -> None:
    headers = {} if asked is None else {"Accept-Language": asked}
    request = EnvironBuilder(headers=headers).get_request()
    assert language.best(request.accept_languages) == answered
