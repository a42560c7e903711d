"""`POST /v1/tokens`: an application that has an API key makes a token for a browser."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, request

from cropsvc.imaging.params.parser import parse
from cropsvc.imaging.params.table import CROP_PARAMETERS
from cropsvc.model.errors import BadParameter, BadRequest, FieldError
from cropsvc.web.auth import current_key
from cropsvc.web.request_body import read_bytes
from cropsvc.web.services import services
from cropsvc.web.tokens import JobToken, Token, UploadToken, new_id, seal

LARGEST_BODY = 16 * 1024  # bytes of JSON
LIFETIME, LONGEST_LIFETIME = 600, 24 * 60 * 60  # seconds
MOST_JOBS = 1000
OF_UPLOAD = ("lifetime", "jobs", "max_upload", "preset", "parameters", "fixed")
LONGEST_VALUE = 64  # characters; a token must fit into a header
OF_JOB = ("lifetime", "job")
NAMES = tuple(row.name for row in CROP_PARAMETERS)

bp = Blueprint("tokens", __name__, url_prefix="/v1")


@bp.post("/tokens")
def make() -> Response:
    """Return a token for uploads; with `job`, one that reads this job."""
    owner, key = current_key()
    if request.args:
        raise BadParameter.of(*(FieldError(name[:64], "send it as JSON") for name in request.args))
    body = _body()
    _check_names(body, OF_JOB if "job" in body else OF_UPLOAD)
    expires = int(time.time()) + _whole(body, "lifetime", LIFETIME, LONGEST_LIFETIME)
    token = _for_job(owner, expires, body) if "job" in body else _for_upload(owner, expires, body)
    text = seal(token, key, services().store.secrets())
    return _answer({"token": text, "expires_at": _when(expires)})


def _for_job(owner: str, expires: int, body: dict[str, Any]) -> Token:
    job_id = body["job"]
    if not isinstance(job_id, str):
        raise _wrong("job", "must be the id of a job")
    return JobToken(owner, expires, services().jobs.get(owner, job_id).id)


def _for_upload(owner: str, expires: int, body: dict[str, Any]) -> Token:
    most = services().settings.max_upload
    fixed = _fixed(body)
    free = tuple(name for name in _parameters(body) if name not in dict(fixed))
    return UploadToken(
        owner,
        expires,
        new_id(),
        _whole(body, "jobs", 1, MOST_JOBS),
        _whole(body, "max_upload", most, most),
        _preset(body),
        free,
        fixed,
    )


def _preset(body: dict[str, Any]) -> str | None:
    name = body.get("preset")
    if "preset" in body and name not in services().presets.names:
        raise _wrong("preset", f"must be one of {', '.join(services().presets.names)}")
    return name


def _parameters(body: dict[str, Any]) -> tuple[str, ...]:
    names = body.get("parameters", [])
    if not isinstance(names, list) or any(name not in NAMES for name in names):
        raise _wrong("parameters", f"must be a list with any of {', '.join(NAMES)}")
    if len(set(names)) < len(names):
        raise _wrong("parameters", "must name each parameter once")
    if names and services().presets.only:
        raise _wrong("parameters", "this server takes presets only; use `preset`")
    return tuple(names)


def _fixed(body: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the parameters that every submit has, with their values."""
    given = body.get("fixed", {})
    if not isinstance(given, dict) or any(name not in NAMES for name in given):
        raise _wrong("fixed", f"must be an object with any of {', '.join(NAMES)}")
    if given and services().presets.only:
        raise _wrong("fixed", "this server takes presets only; use `preset`")
    for name, value in given.items():
        if not isinstance(value, str) or len(value) > LONGEST_VALUE:
            detail = f"must be a string of at most {LONGEST_VALUE} characters"
            raise _wrong(f"fixed.{name}", detail)
    try:
        parse(given.items())
    except BadParameter as error:
        fields = (FieldError(f"fixed.{one.field}", one.detail) for one in error.errors)
        raise BadParameter.of(*fields) from None
    return tuple(given.items())


def _body() -> dict[str, Any]:
    text = read_bytes(LARGEST_BODY)
    try:
        body = json.loads(text or b"{}")
    except (ValueError, RecursionError):
        raise BadRequest("the body must be a JSON object") from None
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    return body


def _check_names(body: dict[str, Any], known: tuple[str, ...]) -> None:
    strange = [name for name in body if name not in known]
    if strange:
        detail = f"is not known here; use {', '.join(known)}"
        raise BadParameter.of(*(FieldError(name[:64], detail) for name in strange))


def _whole(body: dict[str, Any], name: str, default: int, most: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= most:
        raise _wrong(name, f"must be a whole number from 1 to {most}")
    if value != int(value):
        raise _wrong(name, f"must be a whole number from 1 to {most}")
    return int(value)


def _wrong(field: str, detail: str) -> BadParameter:
    return BadParameter.of(FieldError(field, detail))


def _when(seconds: int) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _answer(value: dict[str, str]) -> Response:
    response = Response(json.dumps(value), status=201, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
