"""Parsers of texts that are one of a few: parameters and settings share them."""

from collections.abc import Callable


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a parser that accepts only these *choices*; it raises ValueError for others."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return parse


def boolean(text: str) -> bool:
    """Parse `true` or `false`. Raises ValueError."""
    return one_of("true", "false")(text) == "true"
