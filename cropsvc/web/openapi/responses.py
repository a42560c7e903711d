"""The answers in the API's description: statuses, headers, bodies, problems."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from cropsvc.imaging.formats import CONTENT_TYPES
from cropsvc.imaging.params.parser import FORMATS
from cropsvc.model.errors import CropError
from cropsvc.web.openapi.schemas import BINARY, JOB_ID, Schema, ref

JSON, HTML, PROBLEM = "application/json", "text/html", "application/problem+json"
MADE: dict[str, Schema] = {CONTENT_TYPES[kind]: BINARY for kind in FORMATS[1:]}
READ: dict[str, Schema] = dict.fromkeys(CONTENT_TYPES.values(), BINARY)

_TEXT: Schema = {"type": "string"}
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {
        "description": "The request's id: the caller's own if it sent one, else a new one.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
    "Location": {"description": "The job.", "required": True, "schema": _TEXT},
    "Job-Token": {
        "description": "For a submit with an upload token: a token that reads the job.",
        "schema": _TEXT,
    },
    "Retry-After": {
        "description": "Seconds after which asking again makes sense, from the queue's real speed.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "Preference-Applied": {
        "description": "The `Prefer: wait=N` that was honoured.",
        "schema": {"type": "string", "pattern": "^wait=[0-9]+$"},
    },
    "Cache-Control": {"required": True, "schema": _TEXT},
    "ETag": {
        "description": "The bytes' SHA-256, strong.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{64}"$'},
    },
    "Repr-Digest": {
        "description": "The SHA-256 of the whole (RFC 9530).",
        "required": True,
        "schema": {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"},
    },
    "Content-Length": {"required": True, "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "Accept-Ranges": {"required": True, "schema": {"const": "bytes"}},
    "Content-Range": {"required": True, "schema": _TEXT},
    "Content-Disposition": {"required": True, "schema": _TEXT},
    "X-Content-Type-Options": {"required": True, "schema": {"const": "nosniff"}},
    "WWW-Authenticate": {"required": True, "schema": _TEXT},
    "Vary": {"required": True, "schema": _TEXT},
}
FILE_HEADERS = (
    "Cache-Control",
    "ETag",
    "Repr-Digest",
    "Accept-Ranges",
    "Content-Disposition",
    "X-Content-Type-Options",
)

LINKS = {
    "job": "show_job",
    "image": "first_image",
    "source": "source",
    "events": "events",
    "cancel": "delete_job",
}


@dataclass(frozen=True)
class Response:
    """What a call answers with one status when all is well."""

    status: int
    description: str
    content: Mapping[str, Schema] = field(default_factory=dict)
    headers: Sequence[str] = ()
    links: bool = False  # to the calls that take the job's id

    def document(self) -> dict[str, Any]:
        """Return the response object."""
        shown = _response(self.description, self.content, self.headers)
        if self.links:
            shown["links"] = {
                name: {"operationId": call, "parameters": {"id": "$response.body#/id"}}
                for name, call in LINKS.items()
            }
        return shown


def problems(kinds: Iterable[type[CropError]], *, as_page: bool) -> dict[str, Any]:
    """One response for each status of these errors; for people it is a page."""
    by_status: dict[int, list[type[CropError]]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind)
    return {str(status): _problem(by_status[status], as_page) for status in sorted(by_status)}


def _problem(kinds: Sequence[type[CropError]], as_page: bool) -> dict[str, Any]:
    status = kinds[0].status
    words = "; ".join(f"`{kind.code}`: {_sentence(kind)}" for kind in kinds)
    content = {HTML: {}} if as_page else {PROBLEM: ref("Problem")}
    headers = {401: ["WWW-Authenticate"], **{s: ["Retry-After"] for s in (409, 429, 503)}}
    shown = _response(f"{HTTPStatus(status).phrase}. {words}", content, headers.get(status, []))
    return shown if as_page else {**shown, "x-codes": sorted({kind.code for kind in kinds})}


def _sentence(kind: type[CropError]) -> str:
    words = (kind.__doc__ or "").strip().splitlines()[0].rstrip(".")
    return words[:1].lower() + words[1:]


def _response(
    description: str, content: Mapping[str, Schema], headers: Sequence[str]
) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "description": description,
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *headers)
        },
    }
    if content:
        shown["content"] = {kind: {"schema": s} if s else {} for kind, s in content.items()}
    return shown


def path_parameters(path: str) -> list[dict[str, Any]]:
    """Return the parameters that a path's braces name."""
    known: dict[str, dict[str, Any]] = {
        "{id}": {"name": "id", "description": "The job's id.", "schema": JOB_ID},
        "{name}": {
            "name": "name",
            "description": "The output's name; its index by default.",
            "schema": {"type": "string", "pattern": "^[a-z0-9-]{1,32}$"},
        },
    }
    return [{**row, "in": "path", "required": True} for part, row in known.items() if part in path]
