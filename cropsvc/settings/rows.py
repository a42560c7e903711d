"""What a setting is: a field of `Settings` that knows its variable, its rule and its meaning."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

ROW = "row"  # where the field's metadata holds it


@dataclass(frozen=True)
class Row:
    """One setting, as it is read from the environment and shown in the reference."""

    variable: str
    parse: Callable[[str], Any]
    meaning: str
    shown_default: str
    group: str
    secret: bool = False  # its value is never shown
    computed: Callable[[], Any] | None = None  # the default, where the machine decides it


def setting(
    variable: str,
    default: object,
    parse: Callable[[str], Any],
    meaning: str,
    *,
    group: str,
    shown_default: str = "",
    secret: bool = False,
    computed: Callable[[], Any] | None = None,
) -> Any:
    """Return a dataclass field that holds a setting; *shown_default* is its default as text."""
    words = shown_default or (f"`{default}`" if isinstance(default, str) else str(default))
    row = Row(variable, parse, meaning, words, group, secret, computed)
    return field(default=default, repr=not secret, metadata={ROW: row})
