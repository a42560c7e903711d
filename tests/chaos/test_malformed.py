"""Malformed, smuggled and mislabelled requests: refused with a 4xx, never a 5xx."""

import socket
from collections.abc import Callable, Iterator

import pytest

from tests import pictures
from tests.contract.client import Client
from tests.stack import Stack

PICTURE = pictures.png()
LENGTH = len(PICTURE)
POST = b"POST /v1/crops HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def length(value: object) -> bytes:
    return f"Content-Length: {value}\r\n".encode()


REQUESTS = {
    "te-and-cl": POST + length(4) + CHUNKED + b"\r\n0\r\n\r\n" + SMUGGLED,
    "cl-and-te": POST + CHUNKED + length(4) + b"\r\n0\r\n\r\n" + SMUGGLED,
    "two-lengths": POST + length(4) + length(40) + b"\r\n" + PICTURE,
    "two-equal-lengths-in-one": POST + length("4, 4") + b"\r\n" + PICTURE,
    "negative-length": POST + length(-4) + b"\r\n" + PICTURE,
    "signed-length": POST + length("+4") + b"\r\n" + PICTURE,
    "hex-length": POST + length("0x4") + b"\r\n" + PICTURE,
    "no-number": POST + length("four") + b"\r\n" + PICTURE,
    "obs-fold": POST + b"X-A: b\r\n c\r\n" + length(4) + b"\r\n" + PICTURE,
    "space-before-colon": POST + b"Content-Length : 4\r\n\r\n" + PICTURE,
    "odd-te": POST + b"Transfer-Encoding: xchunked\r\n\r\n" + PICTURE,
    "te-twice": POST + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n",
    "bad-chunk-size": POST + CHUNKED + b"\r\nzz\r\nabc\r\n0\r\n\r\n",
    "negative-chunk": POST + CHUNKED + b"\r\n-4\r\nabcd\r\n0\r\n\r\n",
    "chunk-without-end": POST + CHUNKED + b"\r\n4\r\nabcdef\r\n0\r\n\r\n",
    "no-version": b"POST /v1/crops\r\n\r\n",
    "odd-version": b"POST /v1/crops HTTP/9.9\r\nHost: x\r\n\r\n",
    "odd-method": b"P\x00ST /v1/crops HTTP/1.1\r\nHost: x\r\n\r\n",
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "nul-in-header": POST + b"X-A: \x00\r\n\r\n",
    "header-without-colon": POST + b"nonsense\r\n\r\n",
    "long-header": POST + b"X-A: " + b"a" * 20_000 + b"\r\n\r\n",
    "many-headers": POST + b"".join(b"X-%d: a\r\n" % n for n in range(500)) + b"\r\n",
    "long-path": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "nul-in-path": b"GET /v1/crops/%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "odd-bytes-in-path": b"GET /v1/crops/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
    "truncated": POST + length(LENGTH) + b"\r\n" + PICTURE[: LENGTH // 2],
    "truncated-chunks": POST + CHUNKED + b"\r\n%x\r\n" % LENGTH + PICTURE[: LENGTH // 2],
    "too-long": POST + length(10**12) + b"\r\n",
    "mislabelled-type": POST.replace(b"image/png", b"text/html") + length(4) + b"\r\nabcd",
    "no-picture": POST + length(4) + b"\r\nabcd",
    "empty": POST + length(0) + b"\r\n",
    "form-without-boundary": POST.replace(b"image/png", b"multipart/form-data")
    + length(4)
    + b"\r\nabcd",
    "form-cut-off": POST.replace(b"image/png", b"multipart/form-data; boundary=b")
    + length(30)
    + b"\r\n--b\r\nContent-Disposition: for",
}


@pytest.fixture(scope="module")
def web(make_module_stack: Callable[..., Stack]) -> Iterator[Stack]:
    return make_module_stack(worker=False)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_malformed_request_gets_a_4xx_and_nothing_is_queued(web: Stack, name: str) -> None:
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as sock:
        sock.sendall(REQUESTS[name])
        sock.shutdown(socket.SHUT_WR)
        answer = sock.makefile("rb").read()
    statuses = [int(line.split()[1]) for line in answer.splitlines() if line[:7] == b"HTTP/1."]
    assert statuses, "no answer"
    assert all(400 <= status < 500 for status in statuses), answer[:300]
    assert len(statuses) == 1, "what was smuggled in was answered"
    assert web.redis().llen("rq:queue:cropsvc") == 0
    assert web.redis().zcard("cropsvc:pending") == 0


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\r\nX-Evil: 1", '"; x="', "x" * 300, "😀.png", "<b>.png"]
)
def test_a_file_name_goes_nowhere(web: Stack, name: str) -> None:
    with Client(web.url) as api:
        answer = api.upload(pictures.png(), name=name)
        assert answer.status_code == 202, answer.text
        job = answer.json()
        shown = api.get(job["links"]["source"])
        assert "X-Evil" not in shown.headers
        assert shown.headers["Content-Disposition"].isascii()
        assert job["id"][:8] in shown.headers["Content-Disposition"]
        api.delete(job["links"]["self"])
