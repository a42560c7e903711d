"""Reads variables, or the files that they point to; finds misspelt ones."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from cropsvc.settings.rows import Row

PREFIX = "CROPSVC_"
LONGEST_FILE = 1024**2  # bytes
NOT_SETTINGS = ("CROPSVC_SERVER", "CROPSVC_KEY")  # the command line's
TESTS = ("CROPSVC_TEST_", "CROPSVC_FUZZ_")
# Kubernetes describes each Service of the namespace in variables that start with its name:
# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
SERVICE = re.compile(
    r"\w+_SERVICE_(HOST|PORT(_\w+)?)=.*"
    r"|\w+_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?=.*"
    r"|\w+_PORT=(tcp|udp|sctp)://.*"
)


class ConfigError(Exception):
    """A setting that cannot be used; the message names the variable."""


class Reader:
    """Reads NAME, or the file that NAME_FILE points to, through the setting's parser."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def value(self, row: Row, default: object) -> object:
        """Return the setting's value, or its default. Raises ConfigError, in one line."""
        text = self._text(row)
        if not text:
            return row.computed() if row.computed else default
        try:
            return row.parse(text)
        except ValueError as error:
            shown = "(not shown)" if row.secret else repr(text)
            raise ConfigError(f"{row.variable}={shown}: {_one_line(error)}") from None

    def _text(self, row: Row) -> str | None:
        name = row.variable
        path = self._environ.get(f"{name}_FILE")
        text = self._environ.get(name)
        if not path:
            return text
        if text:
            raise ConfigError(f"{name} and {name}_FILE are both set; set one")
        return _content(f"{name}_FILE={path!r}", path)

    def check_names(self, rows: Iterable[Row]) -> None:
        """Raise ConfigError for a CROPSVC_ variable that no setting has."""
        known = {name for row in rows for name in (row.variable, f"{row.variable}_FILE")}
        known.update(NOT_SETTINGS)
        for name, value in sorted(self._environ.items()):
            if not name.startswith(PREFIX) or name in known or name.startswith(TESTS):
                continue
            if not SERVICE.fullmatch(f"{name}={value}"):
                near = get_close_matches(name, known, 1, 0.6)
                cure = f"is {near[0]} meant?" if near else "remove it"
                raise ConfigError(f"{name}: there is no such setting; {cure}")


def _content(shown: str, path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            data = file.read(LONGEST_FILE + 1)
        if len(data) > LONGEST_FILE:
            raise ConfigError(f"{shown}: larger than {LONGEST_FILE} bytes")
        return data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ConfigError(f"{shown}: not a text in UTF-8") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise ConfigError(f"{shown}: {getattr(error, 'strerror', None) or error}") from None


def _one_line(error: ValueError) -> str:
    return " ".join(str(error).split())
