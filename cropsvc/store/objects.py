"""Object stores for the bytes of uploads and results: S3, GCS, Azure, a directory.

The only module that knows obstore, which it imports when one is used (extra `blobs`).
"""

import secrets
from collections.abc import Callable, Iterable
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from cropsvc.settings.settings import ConfigError
from cropsvc.store.errors import StoreUnavailable
from cropsvc.store.patience import FRONT_END_SECONDS, Patience

T = TypeVar("T")
Bounded = Callable[[Callable[[], Any]], Any]
"""Runs a step and returns its result; may raise StoreUnavailable if it takes too long."""

IN_REDIS = "redis"  # the setting's value for no object store
WORKER_SECONDS = 10.0
HALF_WRITTEN = "#1"  # behind the name of a file that obstore writes; a process that dies leaves it
PROBE = "cropsvc-probe-"  # what the names of objects of `check` begin with


class Objects(Protocol):
    """Where bytes lie by name. Every method raises StoreUnavailable."""

    def put(self, name: str, data: bytes, content_type: str = "") -> None:
        """Store the bytes; a signed URL then says what they are."""

    def get(self, name: str) -> bytes | None:
        """Return the bytes; None if there is no such object."""

    def delete(self, names: Iterable[str]) -> None:
        """Delete the objects that are there."""

    def signed_url(self, name: str, seconds: int) -> str:
        """Return a URL that anybody may read the object from for *seconds*."""

    def check(self) -> None:
        """Write, read and delete a small object."""


def is_installed() -> bool:
    """Return whether the extra `blobs` is installed. Looking loads nothing of it."""
    return find_spec("obstore") is not None


def objects_for_front_end(url: str) -> Objects | None:
    """Return the store whose calls fail soon (see `Patience`); None if *url* is IN_REDIS."""
    return None if url == IN_REDIS else Bucket(url, FRONT_END_SECONDS, Patience().run)


def objects_for_worker(url: str, job_timeout: float) -> Objects | None:
    """Return the store for a worker or its crop process; None if *url* is IN_REDIS.

    A call takes a quarter of the job timeout at most, so that a slow store ends no job.
    """
    seconds = min(WORKER_SECONDS, job_timeout / 4)
    return None if url == IN_REDIS else Bucket(url, seconds, lambda step: step())


class Bucket:
    """An object store that obstore knows, by its URL. Raises ConfigError if it cannot be used."""

    def __init__(self, url: str, seconds: float, bounded: Bounded) -> None:
        from obstore import exceptions, store

        self._bounded = bounded
        self._errors = (exceptions.BaseError, OSError, NotImplementedError)
        self._directory = Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None
        try:
            self._store = store.from_url(url, **_options(url, seconds))
        except self._errors as error:
            raise ConfigError(f"CROPSVC_BLOBS: {_first_line(error)}") from None

    def put(self, name: str, data: bytes, content_type: str = "") -> None:
        """Store the bytes; a signed URL then says what they are."""
        known: Any = None
        if content_type and not self._directory:  # a directory keeps no attributes
            known = {"Content-Type": content_type}
        put = self._store.put
        self._call(lambda: put(name, data, attributes=known, use_multipart=False))

    def get(self, name: str) -> bytes | None:
        """Return the bytes; None if there is no such object."""
        return self._call(lambda: self._read(name))

    def _read(self, name: str) -> bytes | None:
        try:
            return bytes(self._store.get(name).bytes())
        except FileNotFoundError as error:
            self._check_place(error)
            return None

    def _check_place(self, error: FileNotFoundError) -> None:
        """Raise StoreUnavailable if all objects are away: a bucket or directory that is gone."""
        if "NoSuchBucket" in str(error) or (self._directory and not self._directory.is_dir()):
            raise StoreUnavailable("the object store's bucket or directory is gone") from error

    def delete(self, names: Iterable[str]) -> None:
        """Delete the objects that are there."""
        for name in names:
            self._call(lambda name=name: self._delete(name))  # type: ignore[misc]  # called at once

    def _delete(self, name: str) -> None:
        try:
            self._store.delete(name)
        except FileNotFoundError as error:
            self._check_place(error)
        if self._directory:
            (self._directory / f"{name}{HALF_WRITTEN}").unlink(missing_ok=True)

    def signed_url(self, name: str, seconds: int) -> str:
        """Return a URL that anybody may read the object from for *seconds*."""
        import obstore

        store: Any = self._store
        return str(self._call(lambda: obstore.sign(store, "GET", name, timedelta(seconds=seconds))))

    def check(self) -> None:
        """Write, read and delete a small object."""
        name = PROBE + secrets.token_hex(8)
        self.put(name, b"probe")
        try:
            if self.get(name) != b"probe":
                raise StoreUnavailable("the object store does not return what was stored")
        finally:
            self.delete([name])

    def _call(self, step: Callable[[], T]) -> T:
        try:
            result: T = self._bounded(step)
        except self._errors as error:
            raise StoreUnavailable(f"the object store: {_first_line(error)}") from error
        return result


def _options(url: str, seconds: float) -> dict[str, Any]:
    if url.startswith("file:"):
        return {"mkdir": True}
    return {
        "client_options": {
            "allow_http": True,  # only if the operator's endpoint says http://
            "timeout": timedelta(seconds=seconds),
            "connect_timeout": timedelta(seconds=seconds / 2),
        },
        "retry_config": {"max_retries": 1, "retry_timeout": timedelta(seconds=seconds)},
    }


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0]
