"""What gunicorn's worker answers to a request that no application sees."""

import json
import logging
from typing import Any

import pytest
from gunicorn.http import errors

from cropsvc.serving.problem_worker import ProblemWorker

SECRET = "<script>alert(1)</script>"


class Client:
    """A socket that keeps what is sent; or one that is closed."""

    def __init__(self, *, closed: bool = False) -> None:
        self.closed, self.sent = closed, b""

    def sendall(self, data: bytes) -> None:
        if self.closed:
            raise BrokenPipeError
        self.sent += data


def handled(error: Exception, client: Client) -> None:
    worker: Any = ProblemWorker.__new__(ProblemWorker)
    worker.log = logging.getLogger("test")
    worker.handle_error(None, client, ("192.0.2.1", 1), error)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidRequestLine(SECRET), 400, "bad-request"),
        (errors.UnsupportedTransferCoding(SECRET), 400, "bad-request"),
        (errors.LimitRequestLine(9000, 8190), 414, "bad-request"),
        (errors.LimitRequestHeaders("max"), 431, "bad-request"),
        (errors.InvalidResponseHeader(SECRET), 500, "internal"),
        (RuntimeError(SECRET), 500, "internal"),
    ],
)
def test_an_error_is_a_problem_with_the_headers_and_nothing_of_the_request(
    error: Exception, status: int, code: str
) -> None:
    client = Client()
    handled(error, client)
    head, _, body = client.sent.decode().partition("\r\n\r\n")
    lines = head.split("\r\n")
    assert lines[0].startswith(f"HTTP/1.1 {status} ")
    assert {
        "X-Frame-Options: DENY",
        "X-Content-Type-Options: nosniff",
        "Content-Security-Policy: default-src 'none'; sandbox",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
    } <= set(lines)
    assert (json.loads(body)["status"], json.loads(body)["code"]) == (status, code)
    assert SECRET not in client.sent.decode()


def test_a_client_that_has_closed_is_no_error() -> None:
    handled(errors.InvalidRequestLine("x"), Client(closed=True))
