"""Who shares the queue."""

from cropsvc.settings.parsers import ApiKey
from cropsvc.web.auth import OPEN, owners_of


def test_an_owner_with_two_keys_is_one_owner() -> None:
    keys = [ApiKey("ann", "1" * 64), ApiKey("bob", "2" * 64), ApiKey("ann", "3" * 64)]
    assert owners_of(keys) == ("ann", "bob")


def test_without_keys_everybody_is_one_owner() -> None:
    assert owners_of([]) == (OPEN,)
