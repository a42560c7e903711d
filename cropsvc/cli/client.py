"""The HTTP side of the command line client: one server, patiently asked."""

import http.client
import json
import secrets
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from cropsvc import __version__

CHUNK = 64 * 1024
ANSWER = 60.0  # seconds for one answer; the longest wait that is asked for is 20
FIRST_PAUSE = 1.0  # seconds before asking again where the server names no time
HOPELESS = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)
"""What a first contact is not repeated for: most likely the URL is wrong."""

Job = dict[str, Any]
Pairs = Sequence[tuple[str, str]]


class ServerError(Exception):
    """A failed request, with the server's explanation."""

    def __init__(self, words: str, *, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.retry_after = retry_after  # seconds


class Stopped(Exception):
    """The user wants no more."""


@dataclass(frozen=True)
class Server:
    """Where it is, with which key, and how long it may be busy or away."""

    url: str
    key: str | None = None
    patience: float = 60.0  # seconds
    is_stopped: Callable[[], bool] = lambda: False
    pause: Callable[[float], object] = time.sleep  # seconds

    def submit(self, name: str, data: bytes, fields: Pairs, on_bytes: Callable[[int], None]) -> Job:
        """Upload an image. *on_bytes* receives the number of bytes that were sent.

        A repeat after a lost answer finds the same job. Raises Refused, Stopped.
        """
        boundary = secrets.token_hex(16)
        head, tail = _form(boundary, name, fields)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + len(data) + len(tail)),
            "Idempotency-Key": secrets.token_hex(16),
        }

        def body() -> Iterator[bytes]:
            yield head
            for start in range(0, len(data), CHUNK):
                if self.is_stopped():
                    raise Stopped
                yield data[start : start + CHUNK]
                on_bytes(min(start + CHUNK, len(data)))
            yield tail

        return self._job(lambda: self._ask("POST", "/v1/crops", headers, body))

    def look(self, job_id: str, wait: float) -> Job:
        """Return the job, once it has ended or after *wait* seconds. Raises Refused, Stopped."""
        path = f"/v1/crops/{job_id}?{urlencode({'wait': f'{wait:g}'})}"
        return self._job(lambda: self._ask("GET", path, {}))

    def fetch(self, job_id: str, output: str) -> bytes:
        """Return an output's bytes. Raises Refused, Stopped."""
        return self._patiently(lambda: self._ask("GET", f"/v1/crops/{job_id}/image/{output}", {}))

    def cancel(self, job_id: str) -> None:
        """Cancel the job. Raises Refused."""
        self._ask("DELETE", f"/v1/crops/{job_id}", {})

    def _job(self, ask: Callable[[], bytes]) -> Job:
        try:
            job: Job = json.loads(self._patiently(ask))
        except ValueError:
            raise ServerError(f"{self.url} does not answer as a cropsvc does") from None
        return job

    def _patiently(self, ask: Callable[[], bytes]) -> bytes:
        deadline = time.monotonic() + self.patience
        pause = FIRST_PAUSE
        while True:
            try:
                return ask()
            except ServerError as refusal:
                if refusal.retry_after is None:
                    raise
                pause = max(refusal.retry_after, pause)
                if time.monotonic() + pause > deadline:
                    raise
            self.pause(pause)
            if self.is_stopped():
                raise Stopped
            pause *= 1.5

    def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Callable[[], Iterator[bytes]] | None = None,
    ) -> bytes:
        connection = self._connection()
        sent = {"User-Agent": f"cropsvc/{__version__}", **headers}
        if self.key:
            sent["Authorization"] = f"Bearer {self.key}"
        try:
            _send(connection, method, urlsplit(self.url).path.rstrip("/") + path, sent, body)
            response = connection.getresponse()
            return _content(response, response.read())
        except (OSError, http.client.HTTPException) as error:
            hopeless = method == "POST" and isinstance(error, HOPELESS)
            raise ServerError(
                f"no answer from {self.url}: {str(error) or type(error).__name__}",
                retry_after=None if hopeless else FIRST_PAUSE,
            ) from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=ANSWER)


def _send(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: Callable[[], Iterator[bytes]] | None,
) -> None:
    connection.putrequest(method, path)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    try:
        for part in body() if body else ():
            connection.send(part)
    except (BrokenPipeError, ConnectionResetError):
        return  # refused before all was read: the answer says why


def _content(response: http.client.HTTPResponse, data: bytes) -> bytes:
    if response.status < 300:
        return data
    wait = response.getheader("Retry-After", "")
    again = response.status in (429, 503)
    raise ServerError(
        _words(response, data),
        status=response.status,
        retry_after=(float(wait) if wait.isdigit() else FIRST_PAUSE) if again else None,
    )


def _words(response: http.client.HTTPResponse, data: bytes) -> str:
    try:
        problem = json.loads(data)
        fields = [f"{one['field']}: {one['detail']}" for one in problem.get("errors", [])]
        return f"{'; '.join(fields) or problem['detail']} ({response.status} {problem['code']})"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"the server answered {response.status} {response.reason}"


def _form(boundary: str, name: str, fields: Pairs) -> tuple[bytes, bytes]:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields
    ]
    shown = name.encode("ascii", "replace").decode().translate({ord(c): "_" for c in '"\\\r\n'})
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{shown}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return "".join(parts).encode(), f"\r\n--{boundary}--\r\n".encode()
