"""No header, form part or path leads to a 5xx or a traceback: front end and dashboard."""

import random
import socket
from collections.abc import Iterator

import pytest

from tests import pictures
from tests.dashboard.desk_client import Dashboard
from tests.stack import Stack

HEADERS = (
    "Host", "Origin", "Referer", "Cookie", "Accept", "Accept-Language", "Prefer", "Range",
    "If-Range", "If-None-Match", "If-Match", "If-Modified-Since", "Content-Type",
    "Content-Disposition", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host",
    "Forwarded", "traceparent", "tracestate", "Authorization", "Idempotency-Key", "X-Request-Id",
    "Sec-Fetch-Site", "Access-Control-Request-Method", "Accept-Encoding",
)  # fmt: skip
VALUES = (
    b"", b"http://[", b"http://[::1", b"[", b"]", b"//[", b"http://h:99999", b"http://h:x", b"h:-1",
    b"\xff\xfe", b"\xc3\x28", b"caf\xc3\xa9", b'"', b"'", b";", b",", b"=", b"=;=,", b"%", b"%zz",
    b"%00", b"*", b"*/*;q=", b"image/*;q=x", b"a" * 4000, b"bytes=-", b"bytes=0-0,1-1,2-2",
    b"bytes=99999999999999999999-", b'W/"', b'"x', b"wait=", b"wait=9" + b"9" * 400,
    b"wait=\xd9\xa3", b"multipart/form-data; boundary=", b"multipart/form-data; boundary=\xff",
    b"multipart/form-data; boundary*=utf-8''%ff", b"text/html; charset=no-such",
    b"application/x-www-form-urlencoded; charset=utf-7", b"Basic", b"Basic !!!", b"Basic /w==",
    b"Bearer \xff", b"Digest x", b"00-0-0-00", b"00-" + b"f" * 32 + b"-" + b"f" * 16 + b"-zz",
    b"999.999.999.999", b"1.2.3.4:5:6", b"[::1]:80", b"fe80::1%eth0", b"unknown", b"null",
    b"cropsvc_key=\xff; cropsvc_key=", b"$Version=1; a=\"\\\"", b"Thu, 99 Foo 0000 99:99:99 GMT",
)  # fmt: skip
PARTS = {
    "without-name": b'form-data; filename="a.png"',
    "without-disposition": None,
    "field-without-name": b"form-data",
    "empty-name": b'form-data; name=""',
    "odd-name": b'form-data; name="\xff\xfe"',
    "extended-name": b"form-data; name*=utf-8''%ff",
    "odd-file-name": b"form-data; name=\"image\"; filename*=no-such''%ff",
    "not-form-data": b'attachment; name="image"; filename="x"',
    "unclosed": b'form-data; name="image',
}
PATHS = (
    b"/v1/crops/%ff", b"/v1/crops/%00", b"/v1/crops/..%2f..%2f", b"/v1/crops/\xff\xfe", b"//[",
    b"/v1/crops/" + b"a" * 3000, b"/%", b"/v1/crops/x/image/%0a", b"/?%ff=%fe&=&&", b"/static/%00",
    b"/static/..%2f..%2fetc/passwd", b"http://[/", b"*", b"/v1/crops?box=%ff", b"/docs?\xff",
    b"/progress?jobid=%00", b"/result.png?jobid=%ff%fe", b"/0/data/jobs/%ff/queued/1/asc/1.json",
    b"/0/view/jobs/x/queued/9" + b"9" * 30 + b"/asc/1", b"/0/view/job/%00",
)  # fmt: skip
LINES = ((b"GET", b"/"), (b"POST", b"/v1/crops"), (b"DELETE", b"/v1/crops/x"))


@pytest.fixture(scope="module")
def ports(idle_module_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    """The ports of a front end and of a dashboard, with their logs."""
    directory = tmp_path_factory.mktemp("hostile")
    dashboard = Dashboard(directory, idle_module_stack.redis_url).start()
    yield {
        "web": (idle_module_stack.port, idle_module_stack.web),
        "dashboard": (dashboard.port, dashboard.part),
    }
    dashboard.stop()


def status(port: int, head: bytes, body: bytes = b"") -> int:
    """The status of the answer; 0 if the connection was closed without one."""
    with socket.create_connection(("127.0.0.1", port), 10) as wire:
        wire.sendall(head + b"Connection: close\r\n\r\n" + body)
        answer = wire.recv(64)
    return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/") else 0


def assert_calm(ports: dict, server: str, seen: dict[object, int]) -> None:
    assert {case: code for case, code in seen.items() if not 100 <= code < 500} == {}
    lines = ports[server][1].log.read_text(errors="replace").splitlines()
    assert [line for line in lines if "Traceback" in line or "Error" in line] == []


@pytest.mark.parametrize("server", ["web", "dashboard"])
@pytest.mark.parametrize("name", HEADERS)
def test_no_value_of_a_header_breaks_a_server(ports: dict, server: str, name: str) -> None:
    rng = random.Random(name)
    noise = [bytes(rng.choice(b"\t !\"#%&'()*,-./:;<=>?@[]\\^_`{|}~09azAZ\x80\xff")
                   for _ in range(rng.randint(1, 40))) for _ in range(12)]  # fmt: skip
    seen: dict[object, int] = {}
    for value in (*VALUES, *noise):
        for method, path in LINES:
            head = b"%s %s HTTP/1.1\r\n" % (method, path)
            if name != "Host":
                head += b"Host: 127.0.0.1\r\n"
            head += b"%s: %s\r\nContent-Length: 0\r\n" % (name.encode(), value)
            seen[method, path, value] = status(ports[server][0], head)
    assert_calm(ports, server, seen)


@pytest.mark.parametrize("part", PARTS)
def test_no_part_of_a_form_breaks_a_submit(ports: dict, part: str) -> None:
    line = PARTS[part]
    disposition = b"" if line is None else b"Content-Disposition: %s\r\n" % line
    body = b"--b\r\n%s\r\n%s\r\n--b--\r\n" % (disposition, pictures.png())
    head = (
        b"POST /v1/crops HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    )
    code = status(ports["web"][0], head + b"Content-Length: %d\r\n" % len(body), body)
    assert code == 400 or part in ("odd-file-name", "not-form-data")  # that name an image
    assert_calm(ports, "web", {part: code})


@pytest.mark.parametrize("server", ["web", "dashboard"])
def test_no_path_breaks_a_server(ports: dict, server: str) -> None:
    seen: dict[object, int] = {
        (method, path): status(ports[server][0], b"%s %s HTTP/1.1\r\nHost: x\r\n" % (method, path))
        for path in PATHS
        for method in (b"GET", b"POST", b"DELETE")
    }
    assert_calm(ports, server, seen)
