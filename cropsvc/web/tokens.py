"""Tokens that an application gives to a browser: to upload, or to read one job.

A token is signed text. The store keeps one counter for each upload token, and nothing else.
The API key that made a token is part of its signature: without the key, the token is worthless.
"""

import hashlib
import secrets
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from cropsvc.model.errors import OutOfScope, Unauthorized

PREFIX = "cropt_"
SALT = "cropsvc-token"
MAX_TOKEN = 4096  # characters that are looked at
UPLOADING = ("api.submit",)
READING_ONE = ("api.show", "api.events", "api.first_image", "api.image", "archive.of_job")
IN_QUERY = READING_ONE[1:]


@dataclass(frozen=True)
class UploadToken:
    """What a browser may submit: how many jobs, how many bytes, which parameters."""

    owner: str
    expires: int  # seconds since the epoch
    id: str
    jobs: int
    max_upload: int  # bytes
    preset: str | None
    parameters: tuple[str, ...]
    fixed: tuple[tuple[str, str], ...] = ()  # tokens of older versions have none

    def check(self, endpoint: str, job_id: str | None) -> None:
        """Raise OutOfScope unless the call is a submit."""
        if endpoint not in UPLOADING:
            raise OutOfScope("this upload token is for `POST /v1/crops` only; use an API key")


@dataclass(frozen=True)
class JobToken:
    """The right to read one job."""

    owner: str
    expires: int  # seconds since the epoch
    job: str

    def check(self, endpoint: str, job_id: str | None) -> None:
        """Raise OutOfScope unless the call reads this job."""
        if endpoint not in READING_ONE or job_id != self.job:
            raise OutOfScope("this token is for reading one job only; use an API key")


Token = UploadToken | JobToken
KINDS: dict[str, type[UploadToken] | type[JobToken]] = {"upload": UploadToken, "job": JobToken}


def new_id() -> str:
    """Return a new id for an upload token's counter."""
    return secrets.token_urlsafe(12)


def seal(token: Token, key: str, signing: Iterable[bytes]) -> str:
    """Return the token as text, signed for the owner's *key* (its SHA-256; "" without keys)."""
    kind = next(name for name, one in KINDS.items() if isinstance(token, one))
    return PREFIX + _serializer(key, signing).dumps([kind, asdict(token)])


def unseal(
    text: str, keys: Iterable[tuple[str, str]], signing: Iterable[bytes]
) -> tuple[Token, str]:
    """Return the token and its key, one of *keys* (owner and SHA-256). Raises Unauthorized."""
    secrets_now = list(signing)
    for owner, key in keys if len(text) <= MAX_TOKEN else ():
        try:
            kind, values = _serializer(key, secrets_now).loads(text.removeprefix(PREFIX))
        except BadSignature:
            continue
        token = _token(kind, values)
        if token.owner != owner:
            continue
        if token.expires <= time.time():
            raise Unauthorized("this token has expired; ask the application for a new one")
        return token, key
    raise Unauthorized("this token is not valid here; ask the application for a new one")


def _token(kind: str, values: dict[str, Any]) -> Token:
    if "parameters" in values:
        values["parameters"] = tuple(values["parameters"])
    if "fixed" in values:
        values["fixed"] = tuple((name, value) for name, value in values["fixed"])
    return KINDS[kind](**values)


def _serializer(key: str, signing: Iterable[bytes]) -> URLSafeSerializer:
    oldest_first = list(signing)[::-1]  # the last one signs
    return URLSafeSerializer(
        oldest_first,
        salt=f"{SALT} {key}",
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )
