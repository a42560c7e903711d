"""The one way from a request to a job, for the API and for the pages' forms."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from flask import request

from cropsvc.imaging.params.parser import CropRequest, parse
from cropsvc.imaging.params.presets import Presets
from cropsvc.jobs.events import Subscription
from cropsvc.jobs.service import Submission, Upload
from cropsvc.model.errors import BadParameter, BadRequest, FieldError
from cropsvc.model.job import Job
from cropsvc.store import Incoming, NoSlotNeeded, QueueSlot, StoreUnavailable, received
from cropsvc.web import allowance
from cropsvc.web.auth import current_owner
from cropsvc.web.fetch import fetch
from cropsvc.web.rate_limit import rate_limit
from cropsvc.web.request_body import Body, read_body
from cropsvc.web.request_id import request_id
from cropsvc.web.services import services
from cropsvc.web.waits import parse_wait, preferred_wait, wait_of
from cropsvc.web.webhook import checked_webhook

SAMPLE = Path(__file__).parent / "static" / "sample.jpg"
SMALL = 64 * 1024  # bytes of an upload that it costs little to refuse
Pairs = list[tuple[str, str]]
Change = Callable[[CropRequest], CropRequest]


@dataclass(frozen=True)
class SubmitOptions:
    """What a request asks for beside the crop itself."""

    pairs: tuple[tuple[str, str], ...]
    source: str | None
    url: str | None
    webhook: str | None
    sample: bool
    wait: float | None  # seconds

    @property
    def elsewhere(self) -> dict[str, str | None]:
        """What takes the image, or sends the answer, elsewhere."""
        return {"source": self.source, "url": self.url, "webhook": self.webhook}


@dataclass(frozen=True)
class SubmitResult:
    """A submitted job; whether a wait was asked for; the first output's bytes if they were read."""

    job: Job
    waited: bool = False
    data: bytes | None = None
    preferred: int | None = None  # seconds of the Prefer header, if they counted


@dataclass(frozen=True)
class _Options:
    """How `accept` was called; it says what each means."""

    strict: bool
    with_bytes: bool
    change: Change
    seconds: float | None


@dataclass(frozen=True)
class _Submitted:
    job: Job
    wait: float | None  # seconds
    watch: Subscription | None
    preferred: int | None


def accept(
    *,
    strict: bool = True,
    with_bytes: bool = False,
    change: Change = lambda crop: crop,
    seconds: float | None = None,
) -> SubmitResult:
    """Submit what the current request holds, and wait if it asks for that.

    *strict*: unknown parameters are refused, by name. *with_bytes*: a wait reads the first
    output too. *change* makes another crop of the one that was asked for. *seconds* is how long
    to wait, whatever the request says. Raises any CropError of the contract.
    """
    key = allowance.own_key(_idempotency_key())
    with _place(key) as place, ExitStack() as until_answered:

        def watched() -> Subscription:
            return until_answered.enter_context(services().jobs.watch(place.ref))

        options = _Options(strict, with_bytes, change, seconds)
        submitted = _submitted(place, key, options, watched)
        answer = _awaited(place, submitted, with_bytes=with_bytes)
        allowance.count_late(place, answer.job, is_repeat=isinstance(place, NoSlotNeeded))
        return answer


def _submitted(
    place: QueueSlot, key: str | None, options: _Options, watched: Callable[[], Subscription]
) -> _Submitted:
    """Read the request and submit the job. The upload's bytes are in no frame afterwards."""
    jobs, strict, seconds = services().jobs, options.strict, options.seconds
    with closing(jobs.incoming(place)) as incoming:
        body = read_body(allowance.upload_limit(), incoming)
        wanted = _wanted([*request.args.items(multi=True), *body.fields], strict=strict)
        pairs = allowance.allowed(wanted.pairs, wanted.elsewhere)
        crop = options.change(_parsed(pairs, strict, _presets()))
        upload = _upload(place, body, wanted, crop, key, incoming)
        if wanted.webhook is not None and seconds is not None:
            raise BadParameter.of(FieldError("webhook", "no message follows: the answer is here"))
        if allowance.upload_token() and not isinstance(place, NoSlotNeeded):
            rate_limit().check(current_owner())  # only now it counts for the token's owner
        hook = checked_webhook(wanted.webhook, services().settings)
        wait = wait_of(wanted.wait) if seconds is None else seconds
        watch = watched() if wait else None  # before the submit, so that no end is missed
        awaited = options.with_bytes and bool(watch) and not services().store.keeps_objects
        job = jobs.submit(place, Submission(upload, crop, key, request_id(), hook, awaited))
    return _Submitted(job, wait, watch, preferred_wait() if wanted.wait is None else None)


def _awaited(place: QueueSlot, submitted: _Submitted, *, with_bytes: bool) -> SubmitResult:
    jobs, job, seconds = services().jobs, submitted.job, submitted.wait
    data: bytes | None = None
    if seconds and job.id != place.ref.id:
        job = jobs.wait(job.ref.owner, job.id, seconds)
    elif seconds and submitted.watch and with_bytes:
        job, data = jobs.wait_on_bytes(submitted.watch, job, seconds)
    elif seconds and submitted.watch:
        job = jobs.wait_on(submitted.watch, job, seconds)
    return SubmitResult(job, seconds is not None, data, submitted.preferred)


def _presets() -> Presets:
    return services().presets


@lru_cache(maxsize=64)  # many uploads are cropped alike
def _parsed(pairs: tuple[tuple[str, str], ...], strict: bool, presets: Presets) -> CropRequest:
    return parse(pairs, ignore_unknown=not strict, presets=presets)


def accept_sample(pairs: Pairs) -> Job:
    """Submit the sample image with these parameters."""
    with _place() as place:
        crop = parse(pairs)
        upload = services().jobs.upload(place, received(sample_bytes()), crop)
        return services().jobs.submit(place, Submission(upload, crop, trace=request_id()))


@cache
def sample_bytes() -> bytes:
    """Return the built-in sample image."""
    return SAMPLE.read_bytes()


@contextmanager
def _place(key: str | None = None) -> Iterator[QueueSlot]:
    """Return a place in the queue, given back if anything fails before a job takes it."""
    jobs, owner = services().jobs, current_owner()
    rate_limit().check(owner, by_token=allowance.upload_token() is not None)
    size = min(request.content_length or 0, services().settings.max_upload)
    place = jobs.admit(owner, size=size, key=key, later=key is None and _is_small())
    try:
        with allowance.one_job_of_token(is_repeat=isinstance(place, NoSlotNeeded)):
            yield place
    except StoreUnavailable:
        raise  # nothing can be given back now, and nobody may wait for that: the place expires
    except BaseException:
        jobs.release(place)
        raise


def _is_small() -> bool:
    """Whether the body may be read before it is known that there is a place for it."""
    length = request.content_length
    return length is not None and length <= SMALL and "Expect" not in request.headers


def _upload(
    place: QueueSlot,
    body: Body,
    wanted: SubmitOptions,
    crop: CropRequest,
    key: str | None,
    incoming: Incoming,
) -> Upload:
    jobs, image = services().jobs, body.image
    is_there = image is not None and image.size > 0
    if wanted.url is not None:
        if is_there or wanted.source is not None:
            raise BadParameter.of(FieldError("url", "goes without a file and without `source`"))
        fetch(wanted.url, services().settings, incoming)
        return jobs.upload(place, incoming.received(), crop)
    if wanted.source is not None:
        if is_there:  # a form without a file sends an empty one
            raise BadParameter.of(FieldError("source", "goes without a file; one came too"))
        return jobs.earlier_upload(place.ref.owner, wanted.source, crop, key)
    if not is_there and wanted.sample:
        image = received(sample_bytes())
    if image is None:
        raise BadRequest("no file: send an image as the field 'image', or as the body")
    if not image.size:
        raise BadRequest("the file is empty")
    return jobs.upload(place, image, crop, body.file_name)


def _wanted(pairs: Pairs, *, strict: bool) -> SubmitOptions:
    rest: Pairs = []
    ours: dict[str, str] = {}
    names = ("source", "url", "webhook", "wait", *(() if strict else ("sample",)))
    for name, value in pairs:
        if name not in names:
            rest.append((name, value))
        elif name in ours:
            raise BadParameter.of(FieldError(name, "was given more than once"))
        else:
            ours[name] = value
    if ours.get("sample", "") not in ("", "1"):
        raise BadParameter.of(FieldError("sample", f"{ours['sample'][:40]!r}: must be 1"))
    if not strict:
        rest = [(name, value) for name, value in rest if value]  # a form sends empty fields too
    return SubmitOptions(
        pairs=tuple(rest),
        source=ours.get("source") if strict else ours.get("source") or None,
        url=ours.get("url") if strict else ours.get("url") or None,
        webhook=ours.get("webhook") if strict else ours.get("webhook") or None,
        sample=ours.get("sample") == "1",
        wait=parse_wait(ours["wait"]) if "wait" in ours else None,
    )


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        raise BadRequest("the Idempotency-Key must be 1 to 255 visible ASCII characters")
    return key
