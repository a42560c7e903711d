"""Everything that can go wrong, with an explanation for the caller.

CropError
├── BadParameter 400, BadRequest 400, IncompleteUpload 400
├── Unauthorized 401, CrossSite, SourceForbidden, OutOfScope 403, NotFound 404, MethodNotAllowed 405
├── NotReady 409
├── Expired, Canceled, Deleted 410
├── TooLarge 413, UnsupportedFormat 415, RangeNotSatisfiable 416
├── FetchFailed, Unreadable, TooManyPixels, TooComplex, BoxOutside, IdempotencyMismatch 422
├── OverMaxBytes, CropFailed, TimedOut, OutOfMemory 422 (only as a job's error)
├── Busy, RateLimited 429
└── Internal 500, Unavailable 503
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_FIELDS = 50  # that an error names: an answer must not be far larger than its request


@dataclass(frozen=True)
class FieldError:
    """One wrong parameter: its name (`box`, `outputs[2].box`) and what is wrong with it."""

    field: str
    detail: str


class CropError(Exception):
    """An expected failure: a stable code, its HTTP status, a message with the value and the limit.

    A subclass's code and title come from its name: BadParameter has `bad-parameter` and
    "Bad parameter". Below a class that stands for a status, the title is that class's.
    """

    code: str = "internal"
    status: int = 500
    title: str = "Internal error"

    def __init_subclass__(cls, *, status: int = 0, title: str = "") -> None:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__)
        cls.code = words.lower().replace(" ", "-")
        if status:
            cls.status = status
            cls.title = title or words.capitalize()

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)[:MOST_FIELDS]
        self.retry_after = retry_after  # seconds


class BadParameter(CropError, status=400):
    """One or more parameters that cannot be used; `errors` names each, up to MOST_FIELDS."""

    @classmethod
    def of(cls, *errors: FieldError) -> "BadParameter":
        """Return the error for these fields; its detail joins theirs."""
        shown, left = errors[:MOST_FIELDS], len(errors) - MOST_FIELDS
        texts = [f"{one.field}: {one.detail}" for one in shown]
        texts += [f"and {left} more"] if left > 0 else []
        return cls("; ".join(texts), errors=errors)


class BadRequest(CropError, status=400):
    """No file, an empty body, broken multipart, or a request that is not HTTP."""


class IncompleteUpload(CropError, status=400):
    """The body ended before its announced length."""


class Unauthorized(CropError, status=401):
    """No API key or token, or one that is wrong or expired."""


class CrossSite(CropError, status=403, title="Cross-site request refused"):
    """A state-changing request from another site."""


class SourceForbidden(CropError, status=403):
    """A URL whose host or address this server may not fetch from."""


class OutOfScope(CropError, status=403, title="Not allowed for this token"):
    """A token that does not allow this call, parameter or number of jobs."""


class NotFound(CropError, status=404):
    """What never existed, or belongs to somebody else."""


class MethodNotAllowed(CropError, status=405):
    """A URL that does not take this method."""


class NotReady(CropError, status=409):
    """The image of a job that has not ended."""


class Gone(CropError, status=410):
    """What existed and is no more."""


class Expired(Gone):
    """The job or its source lived its time."""


class Canceled(Gone):
    """The job was canceled before it ended."""


class Deleted(Gone):
    """The job was deleted."""


class TooLarge(CropError, status=413, title="Upload too large"):
    """The upload has more bytes than allowed."""


class UnsupportedFormat(CropError, status=415):
    """The first bytes are not those of a format that is read here."""


class RangeNotSatisfiable(CropError, status=416):
    """The asked range lies outside the bytes."""


class Unprocessable(CropError, status=422, title="Cannot be processed"):
    """Well-formed, but it cannot be done."""


class Unreadable(Unprocessable):
    """The right first bytes, but a broken image."""


class TooManyPixels(Unprocessable):
    """More pixels, or a longer side, than allowed."""


class TooComplex(Unprocessable):
    """More frames or scans than allowed."""


class BoxOutside(Unprocessable):
    """The box lies wholly outside the image, or nothing of it is left after rounding."""


class IdempotencyMismatch(Unprocessable):
    """The Idempotency-Key was used for another request."""


class FetchFailed(Unprocessable):
    """An image that could not be fetched by its URL."""


class OverMaxBytes(Unprocessable):
    """Even the lowest quality gives more bytes than `max_bytes` allows."""


class CropFailed(Unprocessable):
    """The crop process died, or the crop could not be made."""


class TimedOut(Unprocessable):
    """The crop took longer than a job may."""


class OutOfMemory(Unprocessable):
    """The crop needed more memory than a job may use."""


class Busy(CropError, status=429):
    """The queue is at its cap, or memory is short."""


class RateLimited(CropError, status=429):
    """This client asks too often."""


class Internal(CropError, status=500, title="Internal error"):
    """A bug in the service."""


class Unavailable(CropError, status=503, title="Temporarily unavailable"):
    """The store cannot be used at the moment."""
