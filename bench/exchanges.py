"""What a client says to each service, in bytes: the requests of load.py."""

import json
from collections.abc import Generator
from urllib.parse import quote, urlencode

from bench.images import SIDE, Case, Sides, check, tail
from bench.load import Answer, Exchange, Pause, Send, Step
from bench.peers import ipx, thumbor
from bench.results import BenchError

POLL_SECONDS = 0.05
Steps = Generator[Step, Answer, None]


class Keep:
    """Keeps the last result, and checks the first one's pixels."""

    def __init__(self, sides: Sides = (SIDE, SIDE)) -> None:
        self.body = b""
        self._sides = sides

    def take(self, answer: Answer) -> None:
        """A 200 with a picture."""
        answer.expect(200)
        if b"\r\ncontent-type: image/" not in answer.head.lower():
            raise BenchError(f"no picture: {answer.head!r} {answer.body[:200]!r}")
        if not self.body:
            check(answer.body, self._sides)
        self.body = answer.body


def request(method: str, path: str, length: int = 0, **headers: str) -> bytes:
    """A request's head."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if method == "POST":
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def upload(case: Case, *, wait: int | None, extra: bytes) -> tuple[bytes, ...]:
    """Our submit; with *wait* it asks for the bytes in the answer."""
    query = case.parameters() | ({"wait": str(wait)} if wait else {})
    headers = {"Content_Type": case.content_type} | ({"Accept": "image/*"} if wait else {})
    path = "/v1/crops?" + urlencode(query, quote_via=quote)
    return request("POST", path, len(case.data) + len(extra), **headers), case.data, extra


def ours(case: Case, keep: Keep, *, repeat: bool = False) -> Exchange:
    """Upload -> bytes, in one request; *repeat*: the same picture each time."""
    same = tail()

    def exchange(number: int) -> Steps:
        keep.take((yield Send(upload(case, wait=30, extra=same if repeat else tail()))))

    return exchange


def thumbors(case: Case, keep: Keep) -> Exchange:
    """The same crop of a local file."""
    return _fetched(thumbor.path(case), keep)


def ipxs(case: Case, keep: Keep) -> Exchange:
    """The same."""
    return _fetched(ipx.path(case), keep)


def _fetched(path: str, keep: Keep) -> Exchange:
    head = request("GET", path)

    def exchange(number: int) -> Steps:
        keep.take((yield Send((head,))))

    return exchange


def plain(case: Case, keep: Keep) -> Exchange:
    """Submit, poll every 50 ms, fetch."""
    head = request("POST", "/crops?" + urlencode(case.parameters()), len(case.data) + len(tail()))

    def exchange(number: int) -> Steps:
        submitted = (yield Send((head, case.data, tail()))).expect(202)
        path = "/crops/" + json.loads(submitted.body)["id"]
        while True:
            yield Pause(POLL_SECONDS)
            status = (yield Send((request("GET", path),))).expect(200)
            if b"SUCCESS" in status.body:
                break
            if b"FAILURE" in status.body:
                raise BenchError(f"the plain way's job failed: {status.body!r}")
        keep.take((yield Send((request("GET", f"{path}/image"),))))

    return exchange
