"""The calls of the API, in Python."""

import hashlib
import json
import secrets
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from cropsvc.client.errors import JobFailed, NoAnswer, ServiceError
from cropsvc.client.model import Job, Output, job_of
from cropsvc.client.transport import Transport
from cropsvc.client.upload import File, Sent, content_of, field_text, form, json_body

POLL_SECONDS = 20.0  # of one long poll
UNLIKE_OURS = (ValueError, KeyError, TypeError)  # what reading an answer that is no job raises


@dataclass(frozen=True)
class Crop:
    """A finished image: its bytes, its facts, its job."""

    data: bytes
    output: Output
    job: Job


@dataclass(frozen=True)
class Event:
    """A change of a job: `progress`, `done`, `failed` or `canceled`."""

    kind: str
    job: Job


class Client:
    """A cropsvc at *url*; *key* is an API key if the service asks for one.

    A call waits for up to *patience* seconds while the service is busy or away. A submit may be
    repeated: it carries an idempotency key. Threads may share a client.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        patience: float = 60.0,
        proxy: str | None = None,
        tls: ssl.SSLContext | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._transport = Transport(url, key, patience=patience, sleep=sleep, proxy=proxy, tls=tls)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def crop(self, file: File | None = None, **parameters: Any) -> Crop:
        """Submit, wait for the end, and return the first output.

        Raises JobFailed, ServiceError, NoAnswer, and OSError for a file that cannot be read.
        """
        job = self.wait(self.submit(file, **parameters))
        output = job.output()
        return Crop(self.image(job, output.name), output, job)

    def submit(
        self,
        file: File | None = None,
        *,
        idempotency_key: str | None = None,
        on_bytes: Sent = lambda _: None,
        **parameters: Any,
    ) -> Job:
        """Submit an image and return its job.

        *file* is a path, bytes or an open file; without it pass `url` or `source`. *parameters*
        are those of the API: `box="0,0,50%,50%"`, `size="300x300"`. Values may be numbers,
        booleans, tuples (joined by commas), and for `outputs` a list of dictionaries. *on_bytes*
        receives the number of bytes that were sent.
        """
        name, data = content_of(file) if file is not None else ("", None)
        fields = [(key, field_text(value)) for key, value in parameters.items()]
        headers = {"Idempotency-Key": idempotency_key or secrets.token_hex(16)}
        upload = form(name, data, fields, on_bytes)
        return self._job(
            lambda: self._transport.send("POST", "/v1/crops", headers=headers, upload=upload)
        )

    def job(self, job: Job | str, wait: float = 0.0) -> Job:
        """Return the job as it is now, or once it has ended within *wait* seconds (at most 30)."""
        path = f"{_path(job)}?wait={wait:.3f}" if wait else _path(job)
        return self._job(lambda: self._transport.send("GET", path))

    def wait(self, job: Job | str, seconds: float | None = None) -> Job:
        """Return the job once it is done.

        Raises JobFailed if it failed or was canceled, and TimeoutError after *seconds*.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        current = self.job(job) if isinstance(job, str) else job
        while not current.is_terminal:
            left = POLL_SECONDS if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"job {current.id} is {current.state} after {seconds} s")
            current = self.job(current, min(POLL_SECONDS, left))
        if current.error:
            raise _failed(current.error)
        if current.state == "canceled":
            raise JobFailed(f"job {current.id} was canceled", status=410, code="canceled")
        return current

    def image(self, job: Job | str, output: str | None = None) -> bytes:
        """Return an output's bytes, or the first one's. Raises NoAnswer if they are damaged."""
        current = self.job(job) if isinstance(job, str) else job
        wanted = current.output(output)
        if wanted.error:
            raise _failed(wanted.error)
        path = f"{_path(current)}/image/{quote(wanted.name)}"
        data = self._transport.patiently(lambda: self._transport.send("GET", path)).data
        if wanted.sha256 and hashlib.sha256(data).hexdigest() != wanted.sha256:
            raise NoAnswer("the image came damaged: its SHA-256 is not the one announced")
        return data

    def events(self, job: Job | str) -> Iterator[Event]:
        """Yield the job at once, then each change; the last event is its end."""
        answer = self._transport.patiently(lambda: self._transport.stream(f"{_path(job)}/events"))
        with closing(answer):
            try:
                yield from _events(answer)
            except HTTPError as error:
                raise NoAnswer(f"the events broke off: {error}", retry_after=1.0) from None
            except UNLIKE_OURS:
                raise self._not_ours() from None

    def delete(self, job: Job | str) -> None:
        """Cancel the job, or delete one that has ended. Raises ServiceError and NoAnswer."""
        asked = 0

        def ask() -> None:
            nonlocal asked
            asked += 1
            self._transport.send("DELETE", _path(job))

        try:
            self._transport.patiently(ask)
        except ServiceError as error:
            if error.status != 404 or asked == 1:
                raise  # else an attempt without an answer has deleted it

    def token(self, **wanted: Any) -> dict[str, str]:
        """Return `{"token": ..., "expires_at": ...}`: a token for a browser, to upload or to read.

        *wanted* are the fields of `POST /v1/tokens`: `parameters=["box"]`,
        `fixed={"size": "256x256"}`, `jobs=1`, `lifetime=600`; or `job="<id>"` for one that reads
        this job. Raises ServiceError and NoAnswer.
        """
        body = json_body(wanted)
        answer = self._transport.patiently(
            lambda: self._transport.send("POST", "/v1/tokens", upload=body)
        )
        try:
            made = json.loads(answer.data)
            return {"token": made["token"], "expires_at": made["expires_at"]}
        except UNLIKE_OURS:
            raise self._not_ours() from None

    def _job(self, ask: Callable[[], BaseHTTPResponse]) -> Job:
        answer = self._transport.patiently(ask)
        try:
            return job_of(json.loads(answer.data))
        except UNLIKE_OURS:
            raise self._not_ours() from None

    def _not_ours(self) -> NoAnswer:
        return NoAnswer(f"{self._transport.url} does not answer as a cropsvc does")


def _path(job: Job | str) -> str:
    return f"/v1/crops/{quote(job if isinstance(job, str) else job.id, safe='')}"


def _failed(error: Any) -> JobFailed:
    return JobFailed(error["detail"], status=422, code=error["code"])


def _events(answer: BaseHTTPResponse) -> Iterator[Event]:
    kind = ""
    for raw in _lines(answer):
        name, _, value = raw.partition(": ")
        if name == "event":
            kind = value
        elif name == "data" and kind != "interrupted":
            yield Event(kind, job_of(json.loads(value)))
        elif name == "data":
            raise NoAnswer(json.loads(value)["detail"], retry_after=1.0)


def _lines(answer: BaseHTTPResponse) -> Iterator[str]:
    rest = b""
    while piece := answer.read1():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.decode()
