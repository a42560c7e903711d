"""Named sets of parameters: the built-in one, and the operator's from a TOML file."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cropsvc.imaging.params.checks import check_encoding, check_extras, check_size
from cropsvc.imaging.params.model import Crop
from cropsvc.imaging.params.table import CROP_PARAMETERS
from cropsvc.model.errors import BadParameter
from cropsvc.settings.settings import ConfigError, Settings

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
LONGEST_DESCRIPTION = 200  # characters
_KNOWN = {parameter.name: parameter for parameter in CROP_PARAMETERS}


@dataclass(frozen=True)
class Preset:
    """One preset: its parameters by name, as a request would write them."""

    name: str
    description: str
    parameters: tuple[tuple[str, str], ...]

    def values(self) -> dict[str, Any]:
        """Return the parsed parameters."""
        return {name: _KNOWN[name].read(text) for name, text in self.parameters}


@dataclass(frozen=True)
class Presets:
    """What `preset` may name. With *only*, requests may set no other cropping parameter."""

    entries: tuple[Preset, ...]
    only: bool = False

    @property
    def names(self) -> list[str]:
        """The names, in the order of the file."""
        return [preset.name for preset in self.entries]

    def get(self, name: str) -> Preset | None:
        """Return the preset of this name."""
        return next((preset for preset in self.entries if preset.name == name), None)


CLASSIC = Preset(
    "classic",
    "The first version's crop",
    (("box", "4,20%,150,40%"), ("size", "300x300"), ("fit", "stretch")),
)
BUILT_IN = Presets((CLASSIC,))


def presets_of(settings: Settings) -> Presets:
    """Return the presets that the settings name. Raises ConfigError with the line."""
    tables = tomllib.loads(settings.presets)
    entries = [_preset(name, table, settings.presets) for name, table in tables.items()]
    for entry in entries:
        _check(entry, settings)
    own = {preset.name for preset in entries}
    built_in = () if "classic" in own else BUILT_IN.entries
    return Presets((*built_in, *entries), settings.presets_only)


def _preset(name: str, table: object, text: str) -> Preset:
    if not NAME.fullmatch(name) or not isinstance(table, Mapping):
        raise _wrong(text, name, "", "must be a table whose name has 1 to 32 of a-z, 0-9 and -")
    description = table.get("description", "")
    if not isinstance(description, str) or len(description) > LONGEST_DESCRIPTION:
        limit = f"must be a text of at most {LONGEST_DESCRIPTION} characters"
        raise _wrong(text, name, "description", limit)
    pairs = [(key, value) for key, value in table.items() if key != "description"]
    return Preset(name, description, tuple(_checked(text, name, *pair) for pair in pairs))


def _check(preset: Preset, settings: Settings) -> None:
    """Refuse what no image could be cropped by."""
    crop = Crop(**preset.values())
    try:
        check_extras(crop)
        check_size(crop, settings.limits)
        if crop.format != "auto":
            check_encoding(crop, crop.format)
    except BadParameter as error:
        [wrong] = error.errors
        raise _wrong(settings.presets, preset.name, wrong.field, wrong.detail) from None


def _checked(text: str, preset: str, name: str, value: object) -> tuple[str, str]:
    if name not in _KNOWN:
        raise _wrong(text, preset, name, f"no such parameter; use one of {', '.join(_KNOWN)}")
    written = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        _KNOWN[name].read(written)
    except ValueError as error:
        raise _wrong(text, preset, name, str(error)) from None
    return name, written


def _wrong(text: str, preset: str, key: str, reason: str) -> ConfigError:
    place = f"[{preset}]" + (f" {key}" if key else "")
    return ConfigError(f"CROPSVC_PRESETS: line {_line(text, preset, key)}, {place}: {reason}")


def _line(text: str, preset: str, key: str) -> int:
    """Return the line of a table, or of a key in it."""
    table = 0
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf"\s*\[\s*[\"']?{re.escape(preset)}[\"']?\s*\]", line):
            table = number
        elif table and key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    return table or 1
