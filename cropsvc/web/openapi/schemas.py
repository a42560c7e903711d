"""How schemas are made from what parses, stores and refuses."""

import types
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from cropsvc.imaging.params import parser
from cropsvc.imaging.params.parser import PARAMETERS, Parameter
from cropsvc.imaging.params.table import PRESET
from cropsvc.model.errors import CropError
from cropsvc.model.ids import ID_PATTERN
from cropsvc.model.job import Problem

Schema = dict[str, Any]

JOB_ID: Schema = {"type": "string", "pattern": f"^{ID_PATTERN.pattern}$"}
WAIT: Schema = {
    "type": "string",
    "pattern": r"^(0?[0-2]?[0-9](\.[0-9]{1,6})?|0?30(\.0{1,6})?)$",
    "examples": ["10"],
}
BINARY: Schema = {"type": "string", "format": "binary"}  # what generators know as bytes
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def ref(name: str) -> Schema:
    """Return a reference to a component's schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def all_errors() -> list[type[CropError]]:
    """Every error that has a code of its own, in the order of the tree in errors.py."""
    return sorted(_below(CropError), key=lambda kind: kind.status)


def _below(kind: type[CropError]) -> Iterable[type[CropError]]:
    for child in kind.__subclasses__():
        if not child.__subclasses__():  # else it stands for a status only
            yield child
        yield from _below(child)


def text_of(parameter: Parameter) -> Schema:
    """Return the parameter in a query or form, where every value is text."""
    kept = {k: v for k, v in parameter.schema.items() if k not in ("minimum", "maximum")}
    if "enum" in kept:
        kept["enum"] = [choice for choice in kept["enum"] if isinstance(choice, str)]
    return {**kept, "type": "string"}


def choice_of(parameter: Parameter) -> Schema:
    """Return the parameter's schema as text; a list of choices is one named schema."""
    name = _choice_name(parameter)
    return ref(name) if name else text_of(parameter)


def choices() -> dict[str, Schema]:
    """Return the named lists of choices."""
    named = {_choice_name(row): described(row, text_of(row)) for row in PARAMETERS}
    return {name: schema for name, schema in named.items() if name}


def _choice_name(parameter: Parameter) -> str:
    if parameter is PRESET:
        return "PresetName"
    return parameter.name.title() if "enum" in parameter.schema else ""


def described(parameter: Parameter, schema: Mapping[str, Any]) -> Schema:
    """Return the schema with the parameter's description and default."""
    return {**schema, "description": f"{parameter.description} Default: {parameter.default}."}


def json_of(parameter: Parameter) -> Schema:
    """Return the parameter's schema in a JSON document."""
    if True not in parameter.schema.get("enum", ()):
        return ref(_choice_name(parameter)) if "enum" in parameter.schema else {**parameter.schema}
    # Generators of clients do not take an enum of several types.
    return {"anyOf": [ref(_choice_name(parameter)), {"type": "boolean"}]}


def object_of(kind: type, refined: Mapping[str, Schema]) -> Schema:
    """Return the schema of a dataclass; *refined* adds to its fields."""
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    return closed({name: {**_of(hints[name]), **refined.get(name, {})} for name in names})


def closed(properties: Mapping[str, Schema]) -> Schema:
    """Return an object that has these properties, all of them, and no other."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _of(hint: Any) -> Schema:
    if hint in PLAIN:
        return {"type": PLAIN[hint]}
    if hint is Problem:
        return ref("JobError")
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"type": "string", "enum": list(inside)}
    if origin is tuple:
        return _list(inside)
    if origin is dict:
        return {"type": "object"}
    if origin in (Union, types.UnionType):
        return _either([_of(part) for part in inside])
    raise TypeError(f"no schema for {hint}")


def _list(inside: tuple[Any, ...]) -> Schema:
    schema: Schema = {"type": "array", "items": _of(inside[0])}
    if inside[-1] is not Ellipsis:
        schema.update(minItems=len(inside), maxItems=len(inside))
    return schema


def _either(parts: list[Schema]) -> Schema:
    if all(set(part) == {"type"} for part in parts):
        return {"type": [part["type"] for part in parts]}
    return {"anyOf": parts}


def form_properties(names: Iterable[str] = (), *, lenient: bool = False) -> dict[str, Schema]:
    """Return the parameters as fields of a form. *lenient*: an empty field counts as absent."""
    chosen = [row for row in PARAMETERS if not names or row.name in names]
    texts = {row.name: described(row, _with_content(row, choice_of(row))) for row in chosen}
    if not lenient:
        return texts
    return {name: {"anyOf": [schema, {"const": ""}]} for name, schema in texts.items()}


def _with_content(row: Parameter, schema: Schema) -> Schema:
    return {**schema, "contentSchema": ref("Outputs")} if row is parser.OUTPUTS else schema
