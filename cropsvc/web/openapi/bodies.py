"""What the calls take as their bodies."""

from cropsvc.imaging.params.table import CROP_PARAMETERS, PRESET
from cropsvc.web.openapi.call import SOURCE, URL, WAITING, WEBHOOK
from cropsvc.web.openapi.schemas import (
    BINARY,
    JOB_ID,
    WAIT,
    Schema,
    choice_of,
    described,
    form_properties,
    ref,
)

FORM, URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"


def _fields(*others: str, lenient: bool = False) -> Schema:
    more: dict[str, Schema] = {
        "image": {**BINARY, "description": "The image's file."},
        "source": {**JOB_ID, "description": SOURCE["description"]},
        "url": {**URL["schema"], "description": URL["description"]},
        "webhook": {**WEBHOOK["schema"], "description": WEBHOOK["description"]},
        "wait": {**WAIT, "description": WAITING["description"]},
        "sample": {"const": "1", "description": "Take the built-in sample image."},
    }
    return {
        "type": "object",
        "properties": {
            **{name: more[name] for name in others},
            **form_properties(lenient=lenient),
        },
        "additionalProperties": lenient,
    }


def _form(name: str) -> Schema:
    return {**_fields(name, "webhook", "wait"), "required": [name]}


# A schema for each way to name the image: generators of clients make a class of each.
FORMS: dict[str, Schema] = {
    "ImageForm": _form("image"),
    "SourceForm": _form("source"),
    "UrlForm": _form("url"),
}
SUBMITTED = {
    "description": "The image, whole: as the form's field `image`, or as the raw body. What "
    "follows the image's end is ignored. With `source` or `url` there is none. Parameters are form "
    "fields or in the query string; the same name in both is refused.",
    "required": False,
    "content": {
        FORM: {
            "schema": ref("ImageForm"),
            "encoding": {"image": {"contentType": "application/octet-stream, image/*"}},
        },
        URLENCODED: {"schema": {"oneOf": [ref("SourceForm"), ref("UrlForm")]}},
        "image/*": {"schema": BINARY},
        "application/octet-stream": {"schema": BINARY},
    },
}
PAGE_FORM = {
    "description": "The page's form; unknown and empty fields are ignored.",
    "required": True,
    "content": {
        FORM: {
            "schema": {
                **_fields("image", "source", "sample", "wait", lenient=True),
                "oneOf": [{"required": [name]} for name in ("image", "source", "sample")],
            }
        }
    },
}
ENTRIES = {
    "description": "Which outputs. Without `output` it is the first one. Names are made safe and "
    "unique.",
    "required": True,
    "content": {"application/json": {"schema": ref("ArchiveRequest")}},
}
_NAME: Schema = {"type": ["string", "null"], "maxLength": 255}
_ENTRY: Schema = {
    "type": "object",
    "properties": {"id": {"type": "string", "maxLength": 255}, "output": _NAME, "name": _NAME},
    "required": ["id"],
    "additionalProperties": False,
}
_ARCHIVE: Schema = {
    "type": "object",
    "properties": {
        "entries": {"type": "array", "minItems": 1, "maxItems": 200, "items": ref("ArchiveEntry")}
    },
    "required": ["entries"],
}
_LIFETIME: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": 86400,
    "description": "Seconds. Default: 600.",
}
_UPLOADS: dict[str, Schema] = {
    "lifetime": _LIFETIME,
    "jobs": {
        "type": "integer",
        "minimum": 1,
        "maximum": 1000,
        "description": "How many jobs the token may submit. Default: 1.",
    },
    "max_upload": {
        "type": "integer",
        "minimum": 1,
        "description": "Bytes of an upload. Default and maximum: the server's own limit.",
    },
    "preset": {
        **choice_of(PRESET),
        "description": "The preset that every submit uses.",
    },
    "parameters": {
        "type": "array",
        "uniqueItems": True,
        "items": {"type": "string", "enum": [row.name for row in CROP_PARAMETERS]},
        "description": "The parameters that a submit may set. Default: none.",
    },
    "fixed": {
        **ref("CropParameters"),
        "description": "Parameters that every submit has, with these values. Default: none.",
    },
}


def _only(properties: dict[str, Schema], *required: str) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


TOKEN_WANTED = {
    "description": "What the token allows. With `job` it reads this job, else it uploads.",
    "required": False,
    "content": {
        "application/json": {
            "schema": {"oneOf": [ref("UploadTokenRequest"), ref("JobTokenRequest")]}
        }
    },
}
JSON_BODIES: dict[str, Schema] = {
    "CropParameters": {
        **_only({row.name: described(row, choice_of(row)) for row in CROP_PARAMETERS}),
        "examples": [{"size": "256x256", "format": "webp"}],
    },
    "ArchiveEntry": _ENTRY,
    "ArchiveRequest": _ARCHIVE,
    "UploadTokenRequest": _only(_UPLOADS),
    "JobTokenRequest": _only({"job": JOB_ID, "lifetime": _LIFETIME}, "job"),
}
LOGIN_FORM = {
    "required": True,
    "content": {
        URLENCODED: {
            "schema": {
                "type": "object",
                "properties": {"key": {"type": "string"}},
                "required": ["key"],
            }
        }
    },
}
