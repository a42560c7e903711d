"""Every call of the service as data: what it takes, answers, refuses, and an example."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cropsvc.imaging.params.parser import PARAMETERS
from cropsvc.model import errors as e
from cropsvc.web.openapi.responses import (
    FILE_HEADERS,
    HTML,
    JSON,
    MADE,
    READ,
    Response,
)
from cropsvc.web.openapi.schemas import (
    JOB_ID,
    WAIT,
    Schema,
    described,
    form_properties,
    ref,
    text_of,
)

Errors = tuple[type[e.CropError], ...]
BINARY: Schema = {"type": "string", "format": "binary"}
FORM, URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"
GONE: Errors = (e.Expired, e.Deleted)
OF_JOB: Errors = (e.BadParameter, e.NotFound, *GONE)
CANNOT: Errors = (e.Unreadable, e.TooManyPixels, e.TooComplex, e.BoxOutside)
FAILED: Errors = (*CANNOT, e.CropFailed, e.TimedOut, e.OutOfMemory)
UPLOADING: Errors = (
    e.BadParameter,
    e.BadRequest,
    e.IncompleteUpload,
    e.CrossSite,
    e.NotFound,
    *GONE,
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
WAITING = parameter(
    "wait", "query", WAIT, "Seconds, 0 to 30, to hold the answer until the job has ended."
)
PREFER = parameter(
    "Prefer",
    "header",
    {"type": "string", "examples": ["wait=10"]},
    "`wait=N` does what the parameter does; over 30 counts as 30, what is malformed is ignored.",
)
ONCE = parameter(
    "Idempotency-Key",
    "header",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "The same key and the same request give the same job, so that a retry makes no second one.",
)
CROPPING = tuple(
    parameter(row.name, "query", text_of(row), described(row, {})["description"])
    for row in PARAMETERS
)
RANGE = (
    parameter("Range", "header", {"type": "string"}, "Part of the bytes, `bytes=0-99`."),
    parameter("If-None-Match", "header", {"type": "string"}, "An `ETag` that is known already."),
    parameter("If-Match", "header", {"type": "string"}, "The only `ETag` that is wanted."),
)
JOBID = parameter("jobid", "query", {"type": "string"}, "The job's id.")


def _fields(*others: str, lenient: bool = False) -> Schema:
    more: dict[str, Schema] = {
        "image": {**BINARY, "description": "The image's file."},
        "source": {**JOB_ID, "description": SOURCE["description"]},
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


def _one_of(schema: Schema, *names: str) -> Schema:
    return {**schema, "oneOf": [{"required": [name]} for name in names]}


SUBMITTED = {
    "description": "The image, whole: as the form's field `image`, or as the raw body. What "
    "follows the image's end is ignored. With `source` there is none. Parameters are form fields "
    "or in the query string; the same name in both is refused.",
    "required": False,
    "content": {
        FORM: {
            "schema": _one_of(_fields("image", "source", "wait"), "image", "source"),
            "encoding": {"image": {"contentType": "application/octet-stream, image/*"}},
        },
        URLENCODED: {"schema": _one_of(_fields("source", "wait"), "source")},
        "image/*": {"schema": BINARY},
        "application/octet-stream": {"schema": BINARY},
    },
}
PAGE_FORM = {
    "description": "The page's form; unknown and empty fields are ignored.",
    "required": True,
    "content": {
        FORM: {
            "schema": _one_of(
                _fields("image", "source", "sample", "wait", lenient=True),
                "image",
                "source",
                "sample",
            )
        }
    },
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

JOB = {JSON: ref("Job")}
JOB_HEADERS = ("Cache-Control", "Retry-After", "Preference-Applied")
FILES = (
    Response(206, "The part that `Range` asked for.", headers=(*FILE_HEADERS, "Content-Range")),
    Response(304, "Not modified: `If-None-Match` has the `ETag`.", headers=("ETag",)),
)
NOT_SENT: Errors = (e.PreconditionFailed, e.RangeNotSatisfiable)
OF_IMAGE: Errors = (*OF_JOB, e.Canceled, e.NotReady, *NOT_SENT, *FAILED)
PICTURE = Response(200, "The image.", MADE, FILE_HEADERS)

CALLS = (
    Call(
        "post",
        "/v1/crops",
        "submit",
        "Submit a crop",
        "The order of effect: EXIF orientation, `rotate`, `box`, clamp, `aspect`, `fit`, `size` "
        "and `enlarge`, `format`. What the parameters and the image's header show to be wrong is "
        "refused here, and nothing is queued; what only decoding shows becomes the job's "
        "`error`. The answer is 202 and the job, also for a job that is done already. Only when "
        "`Accept` names an image type and there is a `wait`, it is 200 and the first output's "
        "bytes if they were made in time.",
        (
            Response(
                200,
                "The first output's bytes.",
                MADE,
                (*FILE_HEADERS, "Location", "Preference-Applied", "Vary"),
            ),
            Response(202, "The job.", JOB, (*JOB_HEADERS, "Location", "Vary"), links=True),
        ),
        (*UPLOADING, e.Canceled, *FAILED, e.IdempotencyMismatch),
        (*CROPPING, SOURCE, WAITING, PREFER, ONCE),
        SUBMITTED,
        example="curl -sS{key} -F image=@in.jpg -H 'Accept: image/*' "
        "'{url}/v1/crops?box=0,0,50%25,50%25&wait=10' -o out.jpg",
    ),
    Call(
        "get",
        "/v1/crops/{id}",
        "show_job",
        "Look at a job",
        "With `wait`, once it has ended or the time is up. `done` is only shown when the bytes can "
        "be fetched.",
        (Response(200, "The job, canceled and failed ones too.", JOB, JOB_HEADERS),),
        OF_JOB,
        (WAITING, PREFER),
        example="curl -sS{key} '{url}/v1/crops/'$id'?wait=10'",
    ),
    Call(
        "get",
        "/v1/crops/{id}/image",
        "first_image",
        "Fetch the first output",
        "The image's bytes. `HEAD`, `Range` and `If-None-Match` work as usual.",
        (PICTURE, *FILES),
        OF_IMAGE,
        RANGE,
        tag="Bytes",
        example="curl -sS{key} {url}/v1/crops/$id/image -o out.jpg",
    ),
    Call(
        "get",
        "/v1/crops/{id}/image/{name}",
        "image",
        "Fetch an output by its name",
        "The named output's bytes.",
        (PICTURE, *FILES),
        OF_IMAGE,
        RANGE,
        tag="Bytes",
        example="curl -sS{key} {url}/v1/crops/$id/image/0 -o out.jpg",
    ),
    Call(
        "get",
        "/v1/crops/{id}/source",
        "source",
        "Fetch the upload",
        "The upload's bytes while they are kept, as an attachment.",
        (Response(200, "The upload.", READ, FILE_HEADERS), *FILES),
        (*OF_JOB, *NOT_SENT),
        RANGE,
        tag="Bytes",
        example="curl -sS{key} {url}/v1/crops/$id/source -o again.jpg",
    ),
    Call(
        "get",
        "/v1/crops/{id}/events",
        "events",
        "Follow a job",
        "Server-Sent Events: the job at once, then each `progress`, one last `done`, `failed` or "
        "`canceled`, and the stream ends. Each event's `data` is the job's JSON; a comment every "
        "15 seconds shows that the line is up.",
        (Response(200, "The events.", {"text/event-stream": {}}, ("Cache-Control",)),),
        OF_JOB,
        example="curl -sSN{key} {url}/v1/crops/$id/events",
    ),
    Call(
        "delete",
        "/v1/crops/{id}",
        "delete_job",
        "Cancel or delete a job",
        "A queued job never runs, a running one is stopped within a second: both are `canceled`. "
        "One that has ended is removed. Again is fine. Results shared with another job stay.",
        (Response(204, "It is done."),),
        (*OF_JOB, e.CrossSite),
        example="curl -sS{key} -X DELETE {url}/v1/crops/$id",
    ),
    Call(
        "get",
        "/",
        "page",
        "The page",
        "Choose an image, draw the box, submit, follow, download.",
        (Response(200, "The page.", {HTML: {}}),),
        tag="Pages",
        page=True,
    ),
    Call(
        "post",
        "/crops",
        "submit_form",
        "The page's form",
        "For browsers without JavaScript; what it takes is what a submit takes.",
        (Response(303, "To the job's page.", {HTML: {}}, ("Location",)),),
        (*UPLOADING, *CANNOT, e.IdempotencyMismatch),
        (ONCE,),
        PAGE_FORM,
        tag="Pages",
        page=True,
    ),
    Call(
        "get",
        "/crops/{id}",
        "job_page",
        "The page of one job",
        "Its progress, then the image.",
        (Response(200, "The page.", {HTML: {}}),),
        (e.NotFound, *GONE),
        tag="Pages",
        page=True,
    ),
    Call(
        "post",
        "/login",
        "login",
        "Keep a key in the browser",
        "The page asks for the key once and keeps it in a cookie that only the service can read.",
        (Response(303, "To the page.", {HTML: {}}, ("Location",)),),
        (e.Unauthorized, e.CrossSite),
        body=LOGIN_FORM,
        tag="Pages",
        owned=False,
        page=True,
    ),
    Call(
        "post",
        "/logout",
        "logout",
        "Forget the key",
        "The browser's cookie is deleted.",
        (Response(303, "To the page.", {HTML: {}}, ("Location",)),),
        (e.CrossSite,),
        tag="Pages",
        owned=False,
        page=True,
    ),
    Call(
        "get",
        "/image_page",
        "classic_page",
        "Start a classic crop of the sample",
        "Starts a `classic` crop of the sample image and shows the page that polls for it. "
        "`HEAD` starts nothing.",
        (Response(200, "The page; `jobid=<id>` stands in it.", {HTML: {}}),),
        (e.Busy, e.RateLimited),
        tag="The first version's routes",
        page=True,
    ),
    Call(
        "get",
        "/progress",
        "classic_progress",
        "The classic state of a job",
        "`{}` without or with an unknown id.",
        (Response(200, "The state.", {JSON: ref("ClassicProgress")}),),
        parameters=(JOBID,),
        tag="The first version's routes",
        example="curl -sS{key} '{url}/progress?jobid='$id",
    ),
    Call(
        "get",
        "/result.png",
        "classic_result",
        "The classic image",
        "The first output's bytes, with their true type whatever the path says.",
        (PICTURE, *FILES),
        (*GONE, e.NotFound, e.Canceled, e.NotReady, *NOT_SENT, *FAILED),
        (JOBID, *RANGE),
        tag="The first version's routes",
        example="curl -sS{key} '{url}/result.png?jobid='$id -o out.jpg",
    ),
    Call(
        "get",
        "/healthz",
        "healthz",
        "Is it alive",
        "200 while the process lives.",
        (Response(200, "It is.", {JSON: {"type": "object"}}),),
        tag="Operations",
        owned=False,
        example="curl -sS {url}/healthz",
    ),
    Call(
        "get",
        "/readyz",
        "readyz",
        "Is it ready",
        "200 only if the store answers, a worker's heartbeat is fresh and the queue is under its "
        "cap; else 503 and what fails. A submit is taken without a worker too, and waits its turn.",
        (
            Response(200, "It is.", {JSON: ref("Readiness")}),
            Response(503, "It is not.", {JSON: ref("Readiness")}),
        ),
        tag="Operations",
        owned=False,
        example="curl -sS {url}/readyz",
    ),
    Call(
        "get",
        "/metrics",
        "metrics",
        "Figures for Prometheus",
        "Requests, queue, jobs by outcome, times, bytes, workers; the same from every process. "
        "Without Redis: `cropsvc_redis_up 0` alone.",
        (Response(200, "The figures.", {"text/plain": {}}),),
        tag="Operations",
        owned=False,
        example="curl -sS {url}/metrics",
    ),
    Call(
        "get",
        "/openapi.json",
        "openapi",
        "This description",
        "OpenAPI 3.1.",
        (
            Response(200, "The document.", {JSON: {"type": "object"}}, ("Cache-Control",)),
            Response(304, "Not modified: `If-None-Match` has the `ETag`."),
        ),
        parameters=(RANGE[1],),
        tag="Operations",
        owned=False,
        example="curl -sS {url}/openapi.json",
    ),
    Call(
        "get",
        "/docs",
        "docs",
        "This description as a page",
        "Readable without any other server.",
        (Response(200, "The page.", {HTML: {}}),),
        tag="Operations",
        owned=False,
    ),
)
