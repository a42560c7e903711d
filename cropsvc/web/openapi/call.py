"""One call of the service as data, and the parameters that several calls share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cropsvc.imaging.params.parser import PARAMETERS
from cropsvc.model import errors as e
from cropsvc.web.openapi.responses import Response
from cropsvc.web.openapi.schemas import JOB_ID, WAIT, Schema, choice_of, described

Errors = tuple[type[e.CropError], ...]
GONE: Errors = (e.Expired, e.Deleted)
OF_JOB: Errors = (e.BadParameter, e.NotFound, *GONE)
CANNOT: Errors = (e.Unreadable, e.TooManyPixels, e.TooComplex, e.BoxOutside)
FAILED: Errors = (*CANNOT, e.OverMaxBytes, e.CropFailed, e.TimedOut, e.OutOfMemory)
UPLOADING: Errors = (
    e.BadParameter,
    e.BadRequest,
    e.IncompleteUpload,
    e.CrossSite,
    e.NotFound,
    *GONE,
    e.SourceForbidden,
    e.FetchFailed,
    e.TooLarge,
    e.UnsupportedFormat,
    e.Busy,
    e.RateLimited,
)


@dataclass(frozen=True)
class Call:
    """One method of one path."""

    method: str
    path: str
    id: str
    summary: str
    description: str
    answers: tuple[Response, ...]
    errors: Errors = ()
    parameters: tuple[Mapping[str, Any], ...] = ()
    body: Mapping[str, Any] | None = None
    tag: str = "Jobs"
    owned: bool = True  # needs a key where keys are set
    page: bool = False  # its errors are pages
    example: str = ""  # a curl command; {url} and {key} are filled in, $id is a job's


def parameter(name: str, where: str, schema: Schema, description: str) -> dict[str, Any]:
    """Return an optional parameter of a query or header."""
    return {"name": name, "in": where, "schema": schema, "description": description}


SOURCE = parameter(
    "source",
    "query",
    JOB_ID,
    "A job of yours whose upload is cropped again; goes in place of a file.",
)
URL = parameter(
    "url",
    "query",
    {"type": "string", "format": "uri", "maxLength": 4096},
    "Where the server fetches the image, in place of a file. Off unless the server allows hosts.",
)
WEBHOOK = parameter(
    "webhook",
    "query",
    {"type": "string", "format": "uri", "maxLength": 4096},
    "Where the server sends a signed message when the job has ended. Off unless the server allows "
    "hosts.",
)
WAITING = parameter(
    "wait", "query", WAIT, "Seconds, 0 to 30, to hold the answer until the job has ended."
)
PREFER = parameter(
    "Prefer",
    "header",
    {"type": "string", "examples": ["wait=10"]},
    "`wait=N` does what the parameter does; over 30 counts as 30, and malformed values are "
    "ignored.",
)
ONCE = parameter(
    "Idempotency-Key",
    "header",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "The same key and the same request give the same job, so that a retry makes no second one. "
    "Another request under the key is refused with 422.",
)
CROPPING = tuple(
    parameter(row.name, "query", choice_of(row), described(row, {})["description"])
    for row in PARAMETERS
)
RANGE = (
    parameter("Range", "header", {"type": "string"}, "Part of the bytes, `bytes=0-99`."),
    parameter("If-None-Match", "header", {"type": "string"}, "An `ETag` that is known already."),
)
TOKEN = parameter(
    "token",
    "query",
    {"type": "string", "minLength": 1},
    "A token that reads this job, where a browser cannot send a header. See `POST /v1/tokens`.",
)
JOBID = parameter("jobid", "query", {"type": "string"}, "The job's id.")
