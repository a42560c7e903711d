"""The one parser of requests. Query, form, JSON and Celery arguments use the same table."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cropsvc.imaging.params import values
from cropsvc.imaging.params.model import Crop, CropRequest
from cropsvc.imaging.params.presets import BUILT_IN, Presets
from cropsvc.imaging.params.table import (
    CROP_PARAMETERS,
    FORMATS,
    MAX_OUTPUTS,
    NAME,
    OUTPUTS,
    PARAMETERS,
    PRESET,
    SHOWN,
    Number,
    Parameter,
    Truth,
)
from cropsvc.model.errors import BadParameter, FieldError

__all__ = [
    "CROP_PARAMETERS",
    "FORMATS",
    "MAX_OUTPUTS",
    "NAME",
    "OUTPUTS",
    "PARAMETERS",
    "Crop",
    "CropRequest",
    "Parameter",
    "parse",
]

_TOP = {p.name: p for p in (*CROP_PARAMETERS, PRESET)}
_ENTRY = {p.name: p for p in (*CROP_PARAMETERS, NAME)}


def parse(
    pairs: Iterable[tuple[str, object]],
    *,
    ignore_unknown: bool = False,
    presets: Presets = BUILT_IN,
) -> CropRequest:
    """Return the request that these names and values describe, from query, form, JSON or Celery.

    Values are strings; JSON may also use numbers and booleans. `outputs` is JSON text or a list.
    *presets* is what `preset` may name.
    Raises BadParameter, which names every wrong field (`outputs[2].box`).
    """
    found = list(pairs)
    if ignore_unknown:
        found = [(name, value) for name, value in found if name in _TOP or name == OUTPUTS.name]
    wrong: list[FieldError] = []
    listed = [value for name, value in found if name == OUTPUTS.name]
    top = _read([(n, v) for n, v in found if n != OUTPUTS.name], _TOP, "", wrong)
    if presets.only:
        wrong.extend(_besides_preset(found, presets))
    preset = _preset(top.pop("preset", None), presets, wrong)
    entries = _entries(listed, wrong)
    crops = [
        _read(entry, _ENTRY, f"outputs[{index}].", wrong) for index, entry in enumerate(entries)
    ]
    named = _named(crops, wrong) if listed else [{}]
    if wrong:
        raise BadParameter.of(*wrong)
    return CropRequest(
        tuple(Crop(**{**preset, **top, **crop}) for crop in named), listed=bool(listed)
    )


def _preset(name: Any, presets: Presets, wrong: list[FieldError]) -> dict[str, Any]:
    if name is None:
        return {}
    preset = presets.get(name)
    if preset is None:
        shown = f"{str(name)[:SHOWN]!r}: must be one of {', '.join(presets.names)}"
        wrong.append(FieldError(PRESET.name, shown))
        return {}
    return preset.values()


def _besides_preset(found: list[tuple[str, object]], presets: Presets) -> list[FieldError]:
    detail = f"this server takes presets only; use `preset`, one of {', '.join(presets.names)}"
    names = dict.fromkeys(name for name, _ in found if name in _TOP or name == OUTPUTS.name)
    return [FieldError(name, detail) for name in names if name != PRESET.name]


def _read(
    pairs: list[tuple[str, object]],
    known: Mapping[str, Parameter],
    prefix: str,
    wrong: list[FieldError],
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    seen: set[str] = set()
    for name, value in pairs:
        if name in seen and name not in known:
            continue  # the error names it once
        try:
            parameter = _known(name, known, seen)
            values[name] = parameter.read(_text(value))
        except ValueError as error:
            wrong.append(FieldError(f"{prefix}{name[:SHOWN]}", str(error)))
    return values


def _known(name: str, known: Mapping[str, Parameter], seen: set[str]) -> Parameter:
    repeated = name in seen
    seen.add(name)
    if name not in known:
        raise ValueError(f"unknown parameter; use one of {', '.join(known)}")
    if repeated:
        raise ValueError("given more than once; give it once")
    return known[name]


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return Truth("true" if value else "false")
        case int() if abs(value) < 10**values.LONGEST_NUMBER:
            return Number(value)
        case int():
            raise ValueError(f"a number has at most {values.LONGEST_NUMBER} digits")
        case float():
            return Number(repr(value))
    raise ValueError(f"must be a string, not {_kind(value)}")


def _kind(value: object) -> str:
    kinds = {
        dict: "an object",
        tuple: "an object",
        list: "a list",
        type(None): "null",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        Number: "a number",
    }
    return kinds.get(type(value), type(value).__name__)


def _entries(listed: list[object], wrong: list[FieldError]) -> list[list[tuple[str, object]]]:
    try:
        if len(listed) > 1:
            raise ValueError("given more than once; give it once")
        return [_pairs(entry) for value in listed for entry in _list(value)]
    except ValueError as error:
        wrong.append(FieldError(OUTPUTS.name, str(error)))
        return []


def _list(value: object) -> list[object]:
    parsed = _json(value) if isinstance(value, str) else value
    if not isinstance(parsed, list) or not 1 <= len(parsed) <= MAX_OUTPUTS:
        raise ValueError(f"must be a JSON list of 1 to {MAX_OUTPUTS} objects")
    return parsed


def _json(text: str) -> object:
    try:
        return json.loads(
            text,
            parse_float=Number,
            parse_int=Number,
            parse_constant=Number,
            object_pairs_hook=tuple,  # a dict would hide repeated names
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"must be JSON: {error}") from None
    except RecursionError:
        raise ValueError(
            f"must be a JSON list of 1 to {MAX_OUTPUTS} objects; it is nested too deeply"
        ) from None


def _pairs(entry: object) -> list[tuple[str, object]]:
    if isinstance(entry, dict):
        return [(str(name), value) for name, value in entry.items()]
    if isinstance(entry, tuple):
        return list(entry)
    raise ValueError(f"every entry must be an object, not {_kind(entry)}")


def _named(crops: list[dict[str, Any]], wrong: list[FieldError]) -> list[dict[str, Any]]:
    named = [{"name": str(index), **crop} for index, crop in enumerate(crops)]
    seen: set[str] = set()
    for index, crop in enumerate(named):
        if crop["name"] in seen:
            taken = f"{crop['name']!r} is used by another output; names must differ"
            wrong.append(FieldError(f"outputs[{index}].name", taken))
        seen.add(crop["name"])
    return named
