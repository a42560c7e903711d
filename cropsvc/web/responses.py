"""How jobs and images are shown over HTTP."""

import base64
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

from cropsvc.imaging import formats
from cropsvc.imaging.formats import CONTENT_TYPES
from cropsvc.model.job import Job, Output
from cropsvc.web.auth import current_owner
from cropsvc.web.held_bytes import await_reader, held, hold, reading
from cropsvc.web.services import services

SIGNED_SECONDS = 60  # how long a signed URL lives
LEFT_OUT = ("HTTP_IF_MATCH", "HTTP_RANGE")  # Werkzeug would act on them


def image_response(job_id: str, name: str | None) -> Response:
    """Return the named output, or the first one, with its headers; 304, HEAD and Range too."""
    elsewhere = services().settings.blob_redirect and not _is_of_our_page()
    if elsewhere and request.method == "GET":
        _, output, url = services().jobs.image_url(current_owner(), job_id, name, SIGNED_SECONDS)
        if url:
            return _elsewhere(output, url)
    key = (current_owner(), job_id, name)
    if await_reader(key) and (response := _of_held(*key)):
        return response
    with reading(key):
        return picture(*services().jobs.image(*key))


def _of_held(owner: str, job_id: str, name: str | None) -> Response | None:
    """Return the answer with the bytes that another answer holds just now, if one does."""
    job = services().jobs.get(owner, job_id)
    output = services().jobs.output_of(job, name)
    found = held(output.sha256 or "", output.bytes or 0)
    return picture(job, output, found.data) if found else None


def _is_of_our_page() -> bool:
    """Whether the page asks, whose policy (CSP) lets nothing come from another origin."""
    return request.headers.get("Sec-Fetch-Site") == "same-origin"


def _elsewhere(output: Output, url: str) -> Response:
    """Return 307 to the object store, or what a condition asks for instead."""
    response = Response(content_type=CONTENT_TYPES[output.format or ""])
    response.set_etag(output.sha256 or "")
    response.make_conditional(_environ())
    if response.status_code == 200:
        response = Response(status=307, headers={"Location": url})
    response.headers["Repr-Digest"] = repr_digest(output.sha256 or "")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def picture(job: Job, output: Output, data: bytes) -> Response:
    """Return the answer that carries one output's bytes."""
    response = _of_bytes(output.sha256 or "", data, CONTENT_TYPES[output.format or ""])
    response.headers["Content-Disposition"] = (
        f"inline; filename=crop-{job.id[:8]}-{output.name}.{suffix_of(output.format)}"
    )
    left = max(0, ((job.expires or 0) - int(datetime.now(UTC).timestamp() * 1000)) // 1000)
    response.headers["Cache-Control"] = f"private, max-age={left}, immutable"
    return as_download(response, len(data))


def upload_response(job_id: str) -> Response:
    """Return the job's upload with its headers; 304, HEAD and Range too."""
    owner, jobs = current_owner(), services().jobs
    key = (owner, job_id)
    if await_reader(key):
        job = jobs.get(owner, job_id)
        found = held(job.source.sha256, job.source.bytes)
        if found and services().store.has_source(job):
            return upload(job, found.data)
    with reading(key):
        return upload(*jobs.source(owner, job_id))


def upload(job: Job, data: bytes) -> Response:
    """Return the answer that carries the upload's bytes, as an attachment."""
    kind = CONTENT_TYPES.get(job.source.format, "image/*")
    response = _of_bytes(job.source.sha256, data, kind)
    response.headers["Content-Disposition"] = (
        f"attachment; filename=source-{job.id[:8]}.{suffix_of(job.source.format)}"
    )
    response.headers["Cache-Control"] = "private, no-store"
    return as_download(response, len(data))


def _of_bytes(sha256: str, data: bytes, content_type: str) -> Response:
    response = Response(hold(sha256, data), content_type=content_type)
    response.content_length = len(data)
    response.set_etag(sha256)
    response.headers["Repr-Digest"] = repr_digest(sha256)
    return response


def as_download(response: Response, length: int) -> Response:
    """Return the response made conditional, and safe to open: nobody sniffs, scripts or embeds it.

    `If-None-Match` comes before `Range` (RFC 9110, section 13.2.2); Werkzeug has it the other way.
    Raises RequestedRangeNotSatisfiable.
    """
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Accept-Ranges"] = "bytes"
    response.make_conditional(_environ())
    if response.status_code == 200 and (asked := _range(length)):
        environ = {**_environ(), "HTTP_RANGE": asked}
        response.make_conditional(environ, accept_ranges=True, complete_length=length)
    return response


def _environ() -> dict[str, Any]:
    """Return the request without `Range`, and without `If-Match`, which the API does not have."""
    return {name: value for name, value in request.environ.items() if name not in LEFT_OUT}


def _range(length: int) -> str | None:
    """Return the Range header for Werkzeug, which answers 416 if it is malformed.

    None if the range is to be ignored: it is not for a GET, has another unit, or names several
    parts. A suffix longer than the bytes means all of them (RFC 9110, section 14.1.2).
    """
    if request.method != "GET":
        return None
    asked = request.range
    if asked is None:  # absent or malformed
        return request.headers.get("Range")
    if asked.units != "bytes" or len(asked.ranges) != 1:
        return None
    start, _ = asked.ranges[0]
    return f"bytes=-{min(-start, length)}" if start < 0 else asked.to_header()


def repr_digest(sha256: str) -> str:
    """Return the value of the header Repr-Digest (RFC 9530) for a digest in hex."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"


def suffix_of(kind: str | None) -> str:
    """Return the usual suffix of a format's files, without the dot."""
    row = formats.OUTPUTS.get(kind or "")
    return row.suffixes[0] if row else kind or "bin"
