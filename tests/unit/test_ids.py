"""An id proves that it was made here, for whom."""

import re

from hypothesis import given
from hypothesis import strategies as st

from cropsvc.model import ids

SECRET = b"s" * 32


@given(owner=st.text("abc-", min_size=1, max_size=8), now=st.integers(0, 2**32 - 1))
def test_an_id_is_genuine_for_its_owner_only(owner: str, now: int) -> None:
    job_id = ids.make(SECRET, owner, now)
    assert re.fullmatch("[a-z2-7]{48}", job_id)
    assert ids.is_genuine(SECRET, owner, job_id)
    assert not ids.is_genuine(SECRET, owner + "x", job_id)
    assert not ids.is_genuine(b"t" * 32, owner, job_id)


@given(place=st.integers(0, 47), letter=st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_any_changed_letter_makes_it_unknown(place: int, letter: str) -> None:
    job_id = ids.make(SECRET, "-", 1_800_000_000)
    changed = job_id[:place] + letter + job_id[place + 1 :]
    assert ids.is_genuine(SECRET, "-", changed) == (changed == job_id)


@given(st.text(max_size=60))
def test_no_text_is_an_id_by_chance_and_none_raises(text: str) -> None:
    assert not ids.is_genuine(SECRET, "-", text)


def test_ids_made_in_the_same_second_differ() -> None:
    assert len({ids.make(SECRET, "-", 1) for _ in range(1000)}) == 1000
