"""Everything that can go wrong, in words for the caller.

CropError
├── BadParameter 400, BadRequest 400, IncompleteUpload 400
├── Unauthorized 401, CrossSite 403, NotFound 404, MethodNotAllowed 405, NotReady 409
├── Expired, Canceled, Deleted 410
├── PreconditionFailed 412, TooLarge 413, UnsupportedFormat 415, RangeNotSatisfiable 416
├── Unreadable, TooManyPixels, TooComplex, BoxOutside, IdempotencyMismatch 422
├── CropFailed, TimedOut, OutOfMemory 422 (only as a job's error)
├── Busy, RateLimited 429
└── Internal 500, Unavailable 503
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One wrong parameter: its name (`box`, `outputs[2].box`) and what is wrong with it."""

    field: str
    detail: str


class CropError(Exception):
    """An expected failure: a stable code, its HTTP status, words with the value and the limit."""

    code = "internal"
    status = 500
    title = "Internal error"

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after  # seconds


class BadParameter(CropError):
    """One or more parameters that cannot be used; `errors` names each."""

    code = "bad-parameter"
    status = 400
    title = "Bad parameter"

    @classmethod
    def of(cls, *errors: FieldError) -> "BadParameter":
        """The error for these fields; its detail is their words, joined."""
        return cls("; ".join(f"{e.field}: {e.detail}" for e in errors), errors=errors)


class BadRequest(CropError):
    """No file, an empty body, broken multipart."""

    code = "bad-request"
    status = 400
    title = "Bad request"


class IncompleteUpload(CropError):
    """The body ended before its announced length."""

    code = "incomplete-upload"
    status = 400
    title = "Incomplete upload"


class Unauthorized(CropError):
    """No API key, or a wrong one."""

    code = "unauthorized"
    status = 401
    title = "Unauthorized"


class CrossSite(CropError):
    """A state-changing request from another site."""

    code = "cross-site"
    status = 403
    title = "Cross-site request refused"


class NotFound(CropError):
    """What never existed, or belongs to somebody else."""

    code = "not-found"
    status = 404
    title = "Not found"


class MethodNotAllowed(CropError):
    """A known URL, another method."""

    code = "method-not-allowed"
    status = 405
    title = "Method not allowed"


class NotReady(CropError):
    """The image of a job that has not ended."""

    code = "not-ready"
    status = 409
    title = "Not ready"


class Gone(CropError):
    """What existed and is no more."""

    status = 410
    title = "Gone"


class Expired(Gone):
    """The job or its source lived its time."""

    code = "expired"


class Canceled(Gone):
    """The job was canceled before it ended."""

    code = "canceled"


class Deleted(Gone):
    """The job was deleted."""

    code = "deleted"


class PreconditionFailed(CropError):
    """`If-Match` names other bytes than these."""

    code = "precondition-failed"
    status = 412
    title = "Precondition failed"


class TooLarge(CropError):
    """The upload has more bytes than allowed."""

    code = "too-large"
    status = 413
    title = "Upload too large"


class UnsupportedFormat(CropError):
    """The first bytes are not those of a format that is read here."""

    code = "unsupported-format"
    status = 415
    title = "Unsupported format"


class RangeNotSatisfiable(CropError):
    """The asked range lies outside the bytes."""

    code = "range-not-satisfiable"
    status = 416
    title = "Range not satisfiable"


class Unprocessable(CropError):
    """Well-formed, but it cannot be done."""

    status = 422
    title = "Cannot be processed"


class Unreadable(Unprocessable):
    """The right first bytes, but a broken image."""

    code = "unreadable"


class TooManyPixels(Unprocessable):
    """More pixels, or a longer side, than allowed."""

    code = "too-many-pixels"


class TooComplex(Unprocessable):
    """More frames or scans than allowed."""

    code = "too-complex"


class BoxOutside(Unprocessable):
    """The box lies wholly outside the image, or nothing of it is left after rounding."""

    code = "box-outside"


class IdempotencyMismatch(Unprocessable):
    """The Idempotency-Key was used for another request."""

    code = "idempotency-mismatch"


class CropFailed(Unprocessable):
    """The crop process died, or the crop could not be made."""

    code = "crop-failed"


class TimedOut(Unprocessable):
    """The crop took longer than a job may."""

    code = "timed-out"


class OutOfMemory(Unprocessable):
    """The crop needed more memory than a job may use."""

    code = "out-of-memory"


class Busy(CropError):
    """The queue is at its cap, or memory is short."""

    code = "busy"
    status = 429
    title = "Busy"


class RateLimited(CropError):
    """This client asks too often."""

    code = "rate-limited"
    status = 429
    title = "Rate limited"


class Internal(CropError):
    """A bug of ours."""


class Unavailable(CropError):
    """The store cannot be used at the moment."""

    code = "unavailable"
    status = 503
    title = "Temporarily unavailable"
