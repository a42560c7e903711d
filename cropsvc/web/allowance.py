"""What an upload token allows, held against one submit."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cropsvc.imaging.params.table import PRESET
from cropsvc.model.errors import FieldError, OutOfScope
from cropsvc.model.job import Job
from cropsvc.store import QueueSlot, StoreUnavailable
from cropsvc.web.auth import current_key, current_token
from cropsvc.web.services import services
from cropsvc.web.tokens import JobToken, UploadToken, seal

Pairs = tuple[tuple[str, str], ...]


def upload_token() -> UploadToken | None:
    """Return the token that this submit came with; None if an API key was used."""
    token = current_token()
    return token if isinstance(token, UploadToken) else None


def upload_limit() -> int:
    """Return how many bytes this request may upload."""
    token, most = upload_token(), services().settings.max_upload
    return min(token.max_upload, most) if token else most


def own_key(key: str | None) -> str | None:
    """Return the Idempotency-Key apart from its owner's: no header can contain a space."""
    token = upload_token()
    return f"{token.id} {key}" if token and key is not None else key


def allowed(pairs: Pairs, elsewhere: dict[str, str | None]) -> Pairs:
    """Return the parameters with those that the token fixes. Raises OutOfScope for others.

    *elsewhere* holds the names and values of what takes the image, or sends the answer, elsewhere.
    """
    token = upload_token()
    if token is None:
        return pairs
    preset = ((PRESET.name, token.preset),) if token.preset else ()
    fixed = (*preset, *token.fixed)
    others = tuple(pair for pair in pairs if pair not in fixed)
    names = [name for name, _ in others if name not in token.parameters]
    names += [name for name, value in elsewhere.items() if value is not None]
    if names:
        detail = f"this token does not allow it; allowed: {', '.join(token.parameters) or 'none'}"
        fields = [FieldError(name[:64], detail) for name in dict.fromkeys(names)]
        raise OutOfScope(f"{fields[0].field}: {detail}", errors=fields)
    return (*fixed, *others)


@contextmanager
def one_job_of_token(*, is_repeat: bool) -> Iterator[None]:
    """Count one job of the token; it is given back if none is made. Raises OutOfScope.

    A repeat under an Idempotency-Key makes no new job, so that it is not counted.
    """
    token = upload_token()
    if token is None or is_repeat:
        yield
        return
    store, seconds = services().store, token.expires - int(time.time()) + 1
    if not store.take_use(token.id, token.jobs, seconds):
        raise OutOfScope(f"all jobs of this token are used (limit {token.jobs}); get a new one")
    try:
        yield
    except BaseException:
        with suppress(StoreUnavailable):
            store.return_use(token.id)
        raise


def count_late(slot: QueueSlot, job: Job, *, is_repeat: bool) -> None:
    """Count a job that was new after all: what its Idempotency-Key claimed expired while it ran."""
    token = upload_token()
    if token and is_repeat and job.id == slot.ref.id:
        store, seconds = services().store, token.expires - int(time.time()) + 1
        store.take_use(token.id, token.jobs, max(1, seconds))


def token_for(job: Job) -> str | None:
    """Return a token that reads the job that an upload token made."""
    if upload_token() is None:
        return None
    owner, key = current_key()
    expires = int(time.time()) + services().settings.result_ttl
    return seal(JobToken(owner, expires, job.id), key, services().store.secrets())
