"""The schemas of the API's description, made from what parses, stores and refuses."""

import types
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from cropsvc.imaging.formats import CONTENT_TYPES
from cropsvc.imaging.params import parser
from cropsvc.imaging.params.parser import PARAMETERS, Parameter
from cropsvc.model.errors import CropError, FieldError
from cropsvc.model.ids import ID_PATTERN
from cropsvc.model.job import Output, Problem, SourceInfo, State

Schema = dict[str, Any]

STAGES = ("queued", "decoding", "cropping", "encoding", "done")
NOTES = (
    "clamped",
    "animation-flattened",
    "alpha-flattened",
    "profile-converted",
    "enlarged",
    "metadata-dropped",
    "pages-dropped",
    "source-truncated",
    "tone-mapped",
    "gain-map-dropped",
    "video-dropped",
)
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
SHA256 = "^[0-9a-f]{64}$"
JOB_ID: Schema = {"type": "string", "pattern": f"^{ID_PATTERN.pattern}$"}
WAIT: Schema = {
    "type": "string",
    "pattern": r"^(0?[0-2]?[0-9](\.[0-9]{1,6})?|0?30(\.0{1,6})?)$",
    "examples": ["10"],
}
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


def described(parameter: Parameter, schema: Mapping[str, Any]) -> Schema:
    """Return the schema with the parameter's description and default."""
    return {**schema, "description": f"{parameter.description} Default: {parameter.default}."}


def components() -> dict[str, Schema]:
    """All named schemas."""
    return {
        "Job": _job(),
        "Source": {**_object(SourceInfo, _SOURCE), "description": "The upload, as displayed."},
        "Output": _output(),
        "JobError": {
            **_object(Problem, {"code": {"enum": _job_codes()}}),
            "description": "Why a job or an output failed: a code of the table and a message.",
        },
        "FieldError": _object(FieldError, {}),
        "Problem": _problem(),
        "Outputs": _outputs(),
        "Readiness": _readiness(),
        "ClassicProgress": _classic(),
    }


def _object(kind: type, refined: Mapping[str, Schema]) -> Schema:
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    return _closed({name: {**_of(hints[name]), **refined.get(name, {})} for name in names})


def _closed(properties: Mapping[str, Schema]) -> Schema:
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


_SOURCE: dict[str, Schema] = {
    "format": {"enum": list(CONTENT_TYPES)},
    "width": {"minimum": 1, "description": "As displayed (EXIF applied), before `rotate`."},
    "height": {"minimum": 1},
    "bytes": {"minimum": 1},
    "sha256": {"pattern": SHA256},
}


def _output() -> Schema:
    states = [state for state in get_args(State) if state != "deleted"]
    refined: dict[str, Schema] = {
        "state": {"enum": states},
        "format": {"enum": [*parser.FORMATS[1:], None]},
        "sha256": {"pattern": SHA256},
        "region": {
            "description": "`[x, y, width, height]` of the pixels used, in displayed coordinates "
            "after `rotate`."
        },
        "notes": {"items": {"type": "string", "enum": list(NOTES)}},
    }
    schema = _object(Output, refined)
    schema["properties"]["url"] = {"type": "string", "format": "uri-reference"}
    schema["required"].append("url")
    return schema


def _job() -> Schema:
    time: Schema = {"type": ["string", "null"], "pattern": TIME}
    links = ("self", "image", "source", "events", "page")
    states = [state for state in get_args(State) if state != "deleted"]
    return _closed(
        {
            "id": JOB_ID,
            "state": {"type": "string", "enum": states},
            "progress": {
                "type": "number",
                "minimum": 0,
                "maximum": 1,
                "description": "Never falls; 1 exactly when `state` is `done`.",
            },
            "stage": {"type": "string", "enum": list(STAGES)},
            "position": {
                "type": ["integer", "null"],
                "minimum": 1,
                "description": "The place in the queue; null unless queued.",
            },
            "created_at": {"type": "string", "pattern": TIME},
            "started_at": time,
            "ended_at": time,
            "expires_at": {**time, "description": "Set once the job has ended."},
            "source": ref("Source"),
            "outputs": {"type": "array", "items": ref("Output"), "minItems": 1},
            "error": {"anyOf": [ref("JobError"), {"type": "null"}]},
            "cached": {
                "type": "boolean",
                "description": "Whether an earlier result of the same bytes and parameters "
                "was reused.",
            },
            "links": _closed(
                {name: {"type": "string", "format": "uri-reference"} for name in links}
            ),
        }
    )


def _problem() -> Schema:
    codes = sorted({kind.code for kind in all_errors()})
    schema = _closed(
        {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "A message with the value and the limit."},
            "code": {"type": "string", "enum": codes},
        }
    )
    schema["properties"]["errors"] = {"type": "array", "items": ref("FieldError")}
    return {**schema, "description": "Problem details (RFC 9457)."}


def _job_codes() -> list[str]:
    return sorted({kind.code for kind in all_errors() if 400 <= kind.status <= 422})


def _outputs() -> Schema:
    rows = (*parser.CROP_PARAMETERS, parser.NAME)
    entry = {
        "type": "object",
        "properties": {row.name: described(row, row.schema) for row in rows},
        "additionalProperties": False,
    }
    return {"type": "array", "items": entry, "minItems": 1, "maxItems": parser.MAX_OUTPUTS}


def form_properties(names: Iterable[str] = (), *, lenient: bool = False) -> dict[str, Schema]:
    """Return the parameters as fields of a form. *lenient*: an empty field counts as absent."""
    chosen = [row for row in PARAMETERS if not names or row.name in names]
    texts = {row.name: described(row, _with_content(row, text_of(row))) for row in chosen}
    if not lenient:
        return texts
    return {name: {"anyOf": [schema, {"const": ""}]} for name, schema in texts.items()}


def _with_content(row: Parameter, schema: Schema) -> Schema:
    return {**schema, "contentSchema": ref("Outputs")} if row is parser.OUTPUTS else schema


def _readiness() -> Schema:
    return _closed(
        {
            "status": {"type": "string", "enum": ["ready", "not ready"]},
            "checks": {"type": "object", "additionalProperties": {"type": "string"}},
            "failing": {"type": "array", "items": {"type": "string"}},
        }
    )


def _classic() -> Schema:
    def told(state: str, **more: Schema) -> Schema:
        return _closed({"state": {"const": state}, **more})

    fraction: Schema = {"type": "number", "minimum": 0, "maximum": 1}
    return {
        "oneOf": [
            {"type": "object", "maxProperties": 0},
            told("PENDING", progress={"const": 0}),
            told("PROGRESS", progress={**fraction, "exclusiveMaximum": 0.99}),
            told("SUCCESS", progress={"const": 1}),
            told("FAILURE", error={"type": "string"}),
        ]
    }
