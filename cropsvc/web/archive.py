"""Several results as one ZIP: all outputs of a job, or outputs of many jobs."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial

from flask import Blueprint, Response, request

from cropsvc.jobs.service import error_of
from cropsvc.model.errors import BadParameter, CropError, FieldError, NotReady
from cropsvc.model.job import Job, Output
from cropsvc.web.auth import current_owner
from cropsvc.web.held_bytes import Held, hold
from cropsvc.web.request_body import read_bytes
from cropsvc.web.responses import repr_digest, suffix_of
from cropsvc.web.services import services
from cropsvc.web.zip_stream import SafeNames, zipped

MOST_ENTRIES = 200
LARGEST_BODY = 256 * 1024  # bytes of JSON
MISSING = "missing.txt"

bp = Blueprint("archive", __name__, url_prefix="/v1")


@dataclass(frozen=True)
class RequestedOutput:
    """One entry of a request: which output of which job, and the name that it should have."""

    id: str
    output: str | None
    name: str | None


@dataclass(frozen=True)
class Found:
    """An entry with its name in the ZIP; `read` returns the bytes, `missed` notes if it cannot."""

    name: str
    read: Callable[[], Held]
    missed: Callable[[], AbstractContextManager[None]] = nullcontext


@bp.get("/crops/<job_id>/archive")
def of_job(job_id: str) -> Response:
    """Return a ZIP of all outputs that are done. Raises NotReady until the job has ended."""
    jobs, owner = services().jobs, current_owner()
    job = jobs.get(owner, job_id)
    done = [output for output in job.outputs if output.state == "done"]
    if not job.is_terminal:
        raise NotReady(f"job {job.id} is {job.state}", retry_after=jobs.retry_after(job))
    if not done:
        jobs.image_of(job, None, None)  # raises what the job ended with
        raise error_of(job.error) if job.error else NotReady(f"job {job.id} has no output")
    names = SafeNames()
    found = [_found(job, output, output.name, names) for output in done]
    return _answer(found, [], f"crops-{job.id[:8]}.zip")


@bp.post("/archive")
def of_many() -> Response:
    """Return a ZIP of the outputs that the request lists; `missing.txt` names those not there."""
    current_owner()  # a key comes before anything that is wrong with the list
    names, found, missing = SafeNames(), list[Found](), list[str]()
    for wanted in _wanted():
        with _noted(wanted, missing):
            found.append(_entry(wanted, names, missing))
    return _answer(found, missing, "crops.zip")


@contextmanager
def _noted(wanted: RequestedOutput, missing: list[str]) -> Iterator[None]:
    """Turn what an entry raises into a line of *missing*."""
    try:
        yield
    except CropError as error:
        if error.status >= 500:
            raise  # the store is away: nothing is known of the entry
        line = f"{wanted.id} {wanted.output or ''}: {error.code}: {error.detail}"
        missing.append("".join(char if char.isprintable() else "?" for char in line) + "\n")


def _entry(wanted: RequestedOutput, names: SafeNames, missing: list[str]) -> Found:
    jobs = services().jobs
    job = jobs.get(current_owner(), wanted.id)
    output = jobs.output_of(job, wanted.output)
    found = _found(job, output, wanted.name or f"crop-{job.id[:8]}-{output.name}", names)
    return replace(found, missed=partial(_noted, wanted, missing))


def _found(job: Job, output: Output, name: str, names: SafeNames) -> Found:
    jobs = services().jobs
    return Found(
        names.of(name, suffix_of(output.format)),
        lambda: hold(output.sha256 or "", jobs.image_of(job, output.name, None)[2]),
    )


def _wanted() -> list[RequestedOutput]:
    body = read_bytes(LARGEST_BODY)
    try:
        entries = json.loads(body)["entries"]
    except (ValueError, KeyError, TypeError, RecursionError):
        entries = None
    if not isinstance(entries, list) or not 1 <= len(entries) <= MOST_ENTRIES:
        raise _wrong(
            "entries", f'must be JSON: {{"entries": [...]}} with 1 to {MOST_ENTRIES} of them'
        )
    return [_one(entry, f"entries[{index}]") for index, entry in enumerate(entries)]


def _one(entry: object, field: str) -> RequestedOutput:
    known = {"id", "output", "name"}
    if not isinstance(entry, dict) or not set(entry) <= known or entry.get("id") is None:
        raise _wrong(field, "must be an object with `id`, and perhaps `output` and `name`")
    texts = [entry.get("id"), entry.get("output"), entry.get("name")]
    if not all(text is None or (isinstance(text, str) and len(text) <= 255) for text in texts):
        raise _wrong(field, "`id`, `output` and `name` must be texts of at most 255 characters")
    return RequestedOutput(texts[0] or "", texts[1], texts[2])


def _wrong(field: str, detail: str) -> BadParameter:
    return BadParameter.of(FieldError(field, detail))


def _answer(found: list[Found], missing: list[str], name: str) -> Response:
    length, digest, kept = 0, hashlib.sha256(), list[Found]()
    for piece in zipped(_files(found, missing, kept)):  # read twice: the head holds the digest
        length += len(piece)
        digest.update(piece)
    body: Iterable[bytes] = ()
    if request.method != "HEAD":
        body = zipped(_files([replace(one, missed=nullcontext) for one in kept], missing, []))
    response = Response(body, content_type="application/zip")
    response.headers["Content-Length"] = str(length)
    response.headers["Repr-Digest"] = repr_digest(digest.hexdigest())
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _files(
    found: list[Found], missing: list[str], kept: list[Found]
) -> Iterator[tuple[str, bytes]]:
    """Yield names and bytes; note in *kept* and *missing* which could be read."""
    for one in found:
        with one.missed():
            held = one.read()
            kept.append(one)
            yield one.name, held.data
    if missing:
        yield MISSING, "".join(missing).encode()
