"""Bodies that are cut, broken, chunked, too large or oddly named."""

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.parser import BytesParser

import httpx
import pytest

from tests import pictures
from tests.contract.client import Client, problem
from tests.stack import Stack

LIMIT = 64 * 1024
PNG = pictures.png(40, 30)


@pytest.fixture(scope="module")
def small(make_module_stack) -> Stack:
    """A stack that takes uploads of up to 64 KiB."""
    return make_module_stack(max_upload=LIMIT, workers=1)


@pytest.fixture(scope="module")
def api(small: Stack) -> Iterator[Client]:
    with Client(small.url) as client:
        yield client


def speak(stack: Stack, head: str, body: bytes = b"", *, hang_up: bool = True) -> httpx.Response:
    """The answer to these very bytes; *hang_up* ends our half of the connection after them."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=15) as talk:
        talk.sendall(head.replace("\n", "\r\n").encode() + body)
        if hang_up:
            talk.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := talk.recv(65536):
            received += chunk
            if _complete(received):
                break
    return _parsed(received)


def _complete(received: bytes) -> bool:
    head, _, body = received.partition(b"\r\n\r\n")
    if not _:
        return False
    length = _headers(head).get("Content-Length")
    return length is not None and len(body) >= int(length)


def _headers(head: bytes):  # type: ignore[no-untyped-def]
    return BytesParser().parsebytes(head.partition(b"\r\n")[2], headersonly=True)


def _parsed(received: bytes) -> httpx.Response:
    assert received, "the connection was closed without an answer"
    head, _, body = received.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    return httpx.Response(status, headers=list(_headers(head).items()), content=body)


RAW = "POST /v1/crops HTTP/1.1\nHost: {host}\nContent-Type: image/png\nConnection: close\n{more}\n"


def _raw(stack: Stack, more: str) -> str:
    return RAW.format(host=f"127.0.0.1:{stack.port}", more=more)


# cut


@pytest.mark.parametrize("sent", [0, 1, 500])
def test_a_body_shorter_than_announced_is_incomplete(small: Stack, sent: int) -> None:
    head = _raw(small, "Content-Length: 50000\n")
    problem(speak(small, head, PNG[:1] * sent), 400, "incomplete-upload")


def test_a_whole_image_in_a_body_shorter_than_announced_is_incomplete(small: Stack) -> None:
    head = _raw(small, f"Content-Length: {len(PNG) + 10}\n")
    problem(speak(small, head, PNG), 400, "incomplete-upload")


def test_a_cut_form_is_incomplete(small: Stack) -> None:
    body = _form(PNG)[:-30]
    head = _raw(small, f"Content-Length: {len(body) + 30}\n").replace("image/png", FORM)
    problem(speak(small, head, body), 400, "incomplete-upload")


def test_a_cut_chunked_body_is_refused(small: Stack) -> None:
    head = _raw(small, "Transfer-Encoding: chunked\n")
    response = speak(small, head, b"%x\r\n" % len(PNG) + PNG + b"\r\n")
    assert problem(response, 400)["code"] in ("incomplete-upload", "bad-request")


# broken forms


FORM = "multipart/form-data; boundary=border"


def _form(data: bytes, *, name: str = "a.png", field: str = "image") -> bytes:
    head = f'--border\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return head.encode() + data + b"\r\n--border--\r\n"


BROKEN_FORMS = {
    "no boundary in the type": ("multipart/form-data", _form(PNG)),
    "another boundary": ("multipart/form-data; boundary=other", _form(PNG)),
    "no end": (FORM, _form(PNG)[: -len("--border--\r\n") - 2]),
    "no blank line": (FORM, b'--border\r\nContent-Disposition: form-data; name="image"\r\n'),
    "junk": (FORM, b"\0\xff" * 500),
    "nothing but the end": (FORM, b"--border--\r\n"),
}


@pytest.mark.parametrize("kind", BROKEN_FORMS)
def test_a_broken_form_is_a_bad_request(api: Client, kind: str) -> None:
    type_, body = BROKEN_FORMS[kind]
    response = api.post("/v1/crops", content=body, headers={"Content-Type": type_})
    problem(response, 400, "bad-request")


# too large


def test_an_upload_of_just_the_limit_is_taken(api: Client) -> None:
    api.crop(PNG + bytes(LIMIT - len(PNG)))


def test_one_byte_more_is_too_large(api: Client) -> None:
    body = problem(api.submit(PNG + bytes(LIMIT - len(PNG) + 1)), 413, "too-large")
    assert "64" in body["detail"] or str(LIMIT) in body["detail"]


def test_a_file_in_a_form_that_is_too_large(api: Client) -> None:
    problem(api.upload(PNG + bytes(LIMIT)), 413, "too-large")


def _pieces(size: int) -> Iterator[bytes]:
    yield PNG
    for _ in range(0, size - len(PNG), 4096):
        yield bytes(4096)


def test_a_chunked_body_is_taken(api: Client) -> None:
    response = api.post("/v1/crops", content=_pieces(20_000), headers={"Content-Type": "image/png"})
    job = api.ended(api.accept(response))
    assert job["state"] == "done"
    assert job["source"]["bytes"] >= 20_000


def test_a_chunked_body_is_counted(api: Client) -> None:
    headers = {"Content-Type": "image/png"}
    response = api.post("/v1/crops", content=_pieces(2 * LIMIT), headers=headers)
    problem(response, 413, "too-large")


def test_too_large_is_answered_without_the_rest(small: Stack) -> None:
    started = time.monotonic()
    head = _raw(small, "Content-Length: 100000000\n")
    problem(speak(small, head, PNG, hang_up=False), 413, "too-large")
    assert time.monotonic() - started < 4


def test_expect_100_continue_is_refused_before_the_body(small: Stack) -> None:
    head = _raw(small, "Content-Length: 100000000\nExpect: 100-continue\n")
    problem(speak(small, head, hang_up=False), 413, "too-large")  # not a 100 before it


def test_the_refusal_reaches_urllib(small: Stack) -> None:
    request = urllib.request.Request(
        f"{small.url}/v1/crops", bytes(40_000_000), {"Content-Type": "image/png"}
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    assert caught.value.code == 413


def test_the_refusal_reaches_curl(small: Stack, require, tmp_path) -> None:
    curl = require("curl")
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(40_000_000))
    form = [f"image=@{large}"]
    command = [curl, "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-F", *form]
    done = subprocess.run(
        [*command, f"{small.url}/v1/crops"], check=False, timeout=30, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "413"), done.stderr


def test_two_announced_lengths_are_refused(small: Stack) -> None:
    more = f"Content-Length: {len(PNG)}\nTransfer-Encoding: chunked\n"
    assert speak(small, _raw(small, more), PNG).status_code == 400


def test_many_and_long_form_fields_are_refused_not_kept(api: Client) -> None:
    many = [("image", ("a.png", PNG)), *((f"f{i}", (None, "1")) for i in range(1200))]
    assert api.post("/v1/crops", files=many).status_code in (400, 413)
    assert api.upload(PNG, box="1" * 60_000).status_code in (400, 413)


# names


NAMES = {
    "unicode": "каток ❄ 映像.png",
    "path": "../../etc/passwd",
    "quotes": 'a";b=\\"c.png',
    "long": "n" * 300 + ".png",
    "markup": "<img src=x onerror=alert(1)>.png",
    "percent": "100%25 %0d%0aSet-Cookie: a=b.png",
    "none": "x",
}


def test_a_picture_sent_as_text_is_no_file(api: Client) -> None:
    told = problem(api.post("/v1/crops", files={"image": (None, b"me")}), 400, "bad-request")
    assert "no filename" in told["detail"]


@pytest.mark.parametrize("kind", ["IMAGE/PNG", "Application/Octet-Stream", "image/png; a=b"])
def test_the_content_type_is_read_whatever_its_case(api: Client, kind: str) -> None:
    api.accept(api.submit(pictures.png(), headers={"Content-Type": kind}))


@pytest.mark.parametrize("kind", NAMES)
def test_a_files_name_is_only_ever_text(api: Client, kind: str) -> None:
    job = api.ended(api.accept(api.upload(PNG, name=NAMES[kind])))
    _check_disposition(api, job)


def test_a_line_break_in_a_files_name_breaks_nothing(api: Client) -> None:
    for name in (b"a\r\nX-Evil: 1.png", b"a\nb.png", b"a\rb.png", b"a\0b.png", b"\xff\xfe.png"):
        head = b'--border\r\nContent-Disposition: form-data; name="image"; filename="' + name
        body = head + b'"\r\n\r\n' + PNG + b"\r\n--border--\r\n"
        response = api.post("/v1/crops", content=body, headers={"Content-Type": FORM})
        assert response.status_code in (202, 400), response.text
        if response.status_code == 202:
            _check_disposition(api, api.ended(response.json()))


def _check_disposition(api: Client, job) -> None:  # type: ignore[no-untyped-def]
    for link, kind in (("image", "inline"), ("source", "attachment")):
        response = api.get(job["links"][link])
        assert response.status_code == 200
        assert "X-Evil" not in response.headers
        assert "Set-Cookie" not in response.headers
        disposition = response.headers["Content-Disposition"]
        assert disposition.startswith(kind)
        assert disposition.isascii()
        assert not set("\r\n\0/") & set(disposition.replace("UTF-8''", ""))
