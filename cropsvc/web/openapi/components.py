"""The named schemas of the API's description."""

from typing import get_args

from cropsvc.imaging.formats import CONTENT_TYPES
from cropsvc.imaging.params import parser
from cropsvc.model.errors import FieldError
from cropsvc.model.job import Output, Problem, SourceInfo, State
from cropsvc.web.openapi.bodies import FORMS, JSON_BODIES
from cropsvc.web.openapi.examples import JOB_EXAMPLE, PROBLEM_EXAMPLE
from cropsvc.web.openapi.notes import NOTES
from cropsvc.web.openapi.operating_schemas import operating_schemas
from cropsvc.web.openapi.schemas import (
    JOB_ID,
    Schema,
    all_errors,
    choices,
    closed,
    described,
    json_of,
    object_of,
    ref,
)

STAGES = ("queued", "decoding", "cropping", "encoding", "done")
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
SHA256 = "^[0-9a-f]{64}$"


def components() -> dict[str, Schema]:
    """All named schemas."""
    return {
        "Job": _job(),
        "Source": {**object_of(SourceInfo, _SOURCE), "description": "The upload, as displayed."},
        "Output": _output(),
        "Face": closed({"box": _four(), "score": {"type": "number", "minimum": 0, "maximum": 1}}),
        "Decision": _decision(),
        "Detection": _detection(),
        "JobError": {
            **object_of(Problem, {"code": {"enum": _job_codes()}}),
            "description": "Why a job or an output failed: a code of the table and a message.",
        },
        "FieldError": object_of(FieldError, {}),
        "Problem": _problem(),
        "OutputRequest": _output_request(),
        "Outputs": {
            "type": "array",
            "items": ref("OutputRequest"),
            "minItems": 1,
            "maxItems": parser.MAX_OUTPUTS,
        },
        "Webhook": _webhook(),
        "Links": _links(),
        "Token": closed(
            {"token": {"type": "string"}, "expires_at": {"type": "string", "pattern": TIME}}
        ),
        **operating_schemas(),
        **FORMS,
        **JSON_BODIES,
        **choices(),
    }


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
        "width": {"description": "Pixels of the output; null until it is done."},
        "sha256": {"pattern": SHA256},
        "region": {
            "description": "`[x, y, width, height]` of the pixels used, in displayed coordinates "
            "after `rotate`."
        },
        "notes": {
            "items": {"type": "string", "enum": list(NOTES)},
            "description": "What was lost or changed on the way: see below.",
        },
        "error": {"description": "Why this output failed. The others stand alone."},
    }
    schema = object_of(Output, refined)
    formats: Schema = {"type": "string", "enum": list(parser.FORMATS[1:])}
    schema["properties"]["format"] = {"anyOf": [formats, {"type": "null"}]}
    schema["properties"]["decision"] = ref("Decision")
    schema["properties"]["quality"] = {
        "type": "integer",
        "minimum": 1,
        "maximum": 100,
        "description": "Where `max_bytes` was asked for: the quality used.",
    }
    for name in ("decision", "quality"):
        schema["required"].remove(name)
    schema["properties"]["url"] = {
        "type": "string",
        "format": "uri-reference",
        "description": "Where the bytes are, once the output is done.",
    }
    schema["required"].append("url")
    return schema


def _four() -> Schema:
    return {"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4}


def _decision() -> Schema:
    schema = closed(
        {
            "method": {"type": "string", "enum": ["face", "smart", "center"]},
            "faces": {"type": "array", "items": ref("Face")},
            "reason": {"type": "string"},
        }
    )
    schema["description"] = "How `anchor=smart` or `anchor=face` placed the region, as displayed."
    return schema


def _detection() -> Schema:
    return closed({**_decision()["properties"], "region": _four()})


def _webhook() -> Schema:
    time: Schema = {"type": ["string", "null"], "pattern": TIME}
    return closed(
        {
            "state": {"type": "string", "enum": ["waiting", "delivered", "failed"]},
            "attempts": {"type": "integer", "minimum": 0},
            "last_status": {"type": ["integer", "null"]},
            "next_at": time,
        }
    )


def _job() -> Schema:
    time: Schema = {"type": ["string", "null"], "pattern": TIME}
    states = [state for state in get_args(State) if state != "deleted"]
    schema = closed(
        {
            "id": JOB_ID,
            "state": {
                "type": "string",
                "enum": states,
                "description": "`done` if at least one output succeeded. The last three are final.",
            },
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
            "links": ref("Links"),
        }
    )
    schema["properties"]["webhook"] = ref("Webhook")  # where one was asked for
    return {**schema, "examples": [JOB_EXAMPLE]}


def _links() -> Schema:
    names = ("self", "image", "source", "events", "page")
    return closed({name: {"type": "string", "format": "uri-reference"} for name in names})


def _problem() -> Schema:
    codes = sorted({kind.code for kind in all_errors()})
    schema = closed(
        {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "A message with the value and the limit."},
            "code": {"type": "string", "enum": codes},
        }
    )
    schema["properties"]["errors"] = {"type": "array", "items": ref("FieldError")}
    return {
        **schema,
        "description": "Problem details (RFC 9457).",
        "examples": [PROBLEM_EXAMPLE],
    }


def _job_codes() -> list[str]:
    return sorted({kind.code for kind in all_errors() if 400 <= kind.status <= 422})


def _output_request() -> Schema:
    rows = (*parser.CROP_PARAMETERS, parser.NAME)
    return {
        "type": "object",
        "properties": {row.name: described(row, json_of(row)) for row in rows},
        "additionalProperties": False,
    }
