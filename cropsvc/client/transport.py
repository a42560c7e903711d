"""HTTP to one service: pooled, retried with jitter, errors as the client's own."""

import json
import random
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
)

from cropsvc import __version__
from cropsvc.client.errors import ClientError, NoAnswer, ServiceError
from cropsvc.client.upload import Upload

T = TypeVar("T")

ANSWER_SECONDS = 60.0  # for one answer; the longest wait that is asked for is 30
FIRST_PAUSE = 1.0  # seconds before asking again where the service names no time
GROWTH, JITTER = 1.5, 0.2


class Transport:
    """Asks one service, again and again for up to *patience* seconds while it is busy or away."""

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        patience: float,
        sleep: Callable[[float], object],
        proxy: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.url = _checked_url(url)
        self._headers = {"User-Agent": f"cropsvc/{__version__}"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {_checked_key(key)}"
        self._patience, self._sleep = patience, sleep
        options: dict[str, Any] = {"retries": False, "timeout": ANSWER_SECONDS, "ssl_context": tls}
        self._pool = (
            urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def patiently(self, ask: Callable[[], T]) -> T:
        """Return *ask*'s answer, repeating it while that may help. Raises ClientError."""
        deadline = time.monotonic() + self._patience
        pause = FIRST_PAUSE
        while True:
            try:
                return ask()
            except ClientError as error:
                if error.retry_after is None:
                    raise
                pause = max(error.retry_after, pause) * random.uniform(1, 1 + JITTER)  # noqa: S311 - spreads load
                if time.monotonic() + pause > deadline:
                    raise
            self._sleep(pause)
            pause *= GROWTH

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        upload: Upload | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """Return the answer, read whole. Raises NoAnswer and ServiceError."""
        sent = {**self._headers, **(headers or {})}
        if upload:
            sent |= {"Content-Type": upload.content_type, "Content-Length": str(upload.length)}
        try:
            answer = self._pool.request(
                method,
                self.url + path,
                headers=sent,
                body=upload.parts() if upload else None,
                redirect=False,
            )
        except (HTTPError, OSError) as error:
            raise self._no_answer(error, first_contact=method == "POST") from None
        return _accepted(answer)

    def stream(self, path: str) -> urllib3.BaseHTTPResponse:
        """Return an answer whose body is still to be read. Raises NoAnswer and ServiceError."""
        try:
            answer = self._pool.request(
                "GET", self.url + path, headers=self._headers, preload_content=False, redirect=False
            )
        except (HTTPError, OSError) as error:
            raise self._no_answer(error, first_contact=False) from None
        return answer if answer.status < 300 else _accepted(answer)

    def _no_answer(self, error: Exception, *, first_contact: bool) -> NoAnswer:
        reason = error.reason if isinstance(error, MaxRetryError) else error
        hopeless = first_contact and _is_hopeless(reason)
        words = _reason_text(reason)
        return NoAnswer(
            f"no answer from {self.url}: {words}", retry_after=None if hopeless else FIRST_PAUSE
        )


def _is_hopeless(error: BaseException | None) -> bool:
    """Whether asking again is no use: most likely the URL is wrong."""
    if isinstance(error, NewConnectionError) and isinstance(
        error.__cause__, ConnectionRefusedError
    ):
        return True
    return isinstance(error, NameResolutionError | SSLError)


def _reason_text(error: BaseException | None) -> str:
    return str(error).rpartition(": ")[2] or type(error).__name__


def _checked_url(url: str) -> str:
    text = url.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or not text.isprintable() or " " in text or "@" in parts.netloc:
        raise ValueError(f"{url!r} must be a URL like http://127.0.0.1:5000")
    return text


def _checked_key(key: str) -> str:
    if not key.isascii() or not key.isprintable() or not key.strip():
        raise ValueError("the API key must be printable ASCII without line breaks")
    return key


def _accepted(answer: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
    if answer.status < 300:
        return answer
    wait = answer.headers.get("Retry-After", "")
    again = answer.status in (429, 503)
    detail, code = _problem(answer)
    raise ServiceError(
        detail,
        status=answer.status,
        code=code,
        retry_after=(float(wait) if wait.isdecimal() else FIRST_PAUSE) if again else None,
    )


def _problem(answer: urllib3.BaseHTTPResponse) -> tuple[str, str]:
    try:
        problem = json.loads(answer.data)
        fields = [f"{one['field']}: {one['detail']}" for one in problem.get("errors", [])]
        return "; ".join(fields) or str(problem["detail"]), str(problem["code"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"the server answered {answer.status} {answer.reason}", ""
