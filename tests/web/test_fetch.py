"""An image by URL: fetched from allowed places only, within bounds."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from cropsvc.outbound.addresses import Allowed
from cropsvc.outbound.connection import AddressForbidden, Call, Route, called
from cropsvc.outbound.target import Target
from tests import pictures
from tests.contract.client import Client, problem
from tests.stack import Stack
from tests.web.origin import Origin, serving

TIMEOUT = 2
REBIND = Call("GET", Target.read("http://rebind.test/"), {})
PUBLIC_ONLY = Route(Allowed(), "", TIMEOUT)
FORMS = (  # of loopback and other places inside; libc understands the odd ones
    "http://127.0.0.1/", "http://localhost/", "http://2130706433/", "http://0x7f000001/",
    "http://0177.0.0.1/", "http://127.1/", "http://0/", "http://[::1]/", "http://[::]/",
    "http://[::ffff:127.0.0.1]/", "http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data",
    "http://100.64.0.1/", "http://[fe80::1]/", "http://[fd00::1]/", "http://127.0.0.1./",
    "http://LOCALHOST/", "https://127.0.0.1/", "http://192.168.1.1:443/", "http://127.0.0.1:22/",
)  # fmt: skip


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with serving() as started:
        yield started


@pytest.fixture(scope="module")
def open_api(make_module_stack: Callable[..., Stack], origin: Origin) -> Iterator[Client]:
    """A service that may fetch from the origin, and from every public host."""
    stack = make_module_stack(
        workers=1, url_hosts=f"*,127.0.0.1:{origin.port}", url_networks="127.0.0.1/32",
        url_timeout=TIMEOUT, max_upload=1_000_000,
    )  # fmt: skip
    with Client(stack.url) as api:
        yield api


@pytest.fixture(scope="module")
def strict_api(make_module_stack: Callable[..., Stack], origin: Origin) -> Iterator[Client]:
    """A service that may fetch from every public host and from nowhere else."""
    stack = make_module_stack(worker=False, url_hosts=f"*,*:{origin.port}", url_timeout=TIMEOUT)
    with Client(stack.url) as api:
        yield api


def test_an_image_by_url_is_cropped_like_an_upload(open_api: Client, origin: Origin) -> None:
    job = open_api.crop(url=origin.url("/image.png"), box="0,0,10,10")
    assert (
        job["source"]["sha256"] == open_api.crop(origin.image, box="0,0,10,10")["source"]["sha256"]
    )
    assert open_api.get(f"/v1/crops/{job['id']}/source").content == origin.image
    seen = origin.seen[-1]
    assert seen["accept-encoding"] == "identity"
    assert not {"cookie", "authorization", "referer"} & set(seen)


def test_it_may_come_as_a_field_of_a_form(open_api: Client, origin: Origin) -> None:
    answer = open_api.post("/v1/crops", data={"url": origin.url("/image.png")})
    assert answer.status_code == 202


def test_the_same_url_under_an_idempotency_key_gives_the_same_job(
    open_api: Client, origin: Origin
) -> None:
    headers = {"Idempotency-Key": "by-url"}
    ids = {open_api.accepted(url=origin.url("/image.png"), headers=headers)["id"] for _ in range(2)}
    assert len(ids) == 1


def test_three_redirects_are_followed_and_not_four(open_api: Client, origin: Origin) -> None:
    assert open_api.crop(url=origin.url("/hops?left=2"))["state"] == "done"
    problem(open_api.submit(url=origin.url("/hops?left=3")), 422, "fetch-failed")


@pytest.mark.parametrize("code", [204, 304, 403, 404, 500])
def test_another_status_of_the_origin_is_fetch_failed(
    open_api: Client, origin: Origin, code: int
) -> None:
    answer = open_api.submit(url=origin.url(f"/status?code={code}"))
    problem(answer, 422, "fetch-failed")
    assert str(code) in answer.json()["detail"]


def test_what_is_no_image_is_refused_by_its_first_bytes(open_api: Client, origin: Origin) -> None:
    origin.image, image = b"<html>", origin.image
    try:
        problem(open_api.submit(url=origin.url("/image.png")), 415, "unsupported-format")
    finally:
        origin.image = image


def test_an_endless_body_is_cut_off_at_the_limit(open_api: Client, origin: Origin) -> None:
    problem(open_api.submit(url=origin.url("/endless")), 413, "too-large")


def test_a_drip_ends_at_the_timeout(open_api: Client, origin: Origin) -> None:
    began = time.monotonic()
    problem(open_api.submit(url=origin.url("/drip")), 422, "fetch-failed")
    assert TIMEOUT - 0.2 <= time.monotonic() - began < TIMEOUT + 2


def test_an_origin_that_sends_without_a_pause_ends_at_the_timeout_too(
    open_api: Client, origin: Origin
) -> None:
    began = time.monotonic()
    problem(open_api.submit(url=origin.url("/continue")), 422, "fetch-failed")
    assert time.monotonic() - began < TIMEOUT + 10  # without turns: when the origin stops


def test_closed_and_silent_origins_get_the_same_message(
    make_stack: Callable[..., Stack],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        ports = [silent.getsockname()[1], bound.getsockname()[1]]
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        stack = make_stack(worker=False, url_hosts=hosts, url_networks="127.0.0.0/8", url_timeout=1)
        with Client(stack.url) as api:
            words = {api.submit(url=f"http://127.0.0.1:{port}/").json()["detail"] for port in ports}
    assert len(words) == 1


@pytest.mark.parametrize("url", FORMS)
def test_a_url_to_the_inside_is_refused_at_once_with_the_same_message(
    strict_api: Client, url: str
) -> None:
    began = time.monotonic()
    answer = strict_api.submit(url=url)
    took = time.monotonic() - began
    problem(answer, 403, "source-forbidden")
    assert answer.json()["detail"] == (
        "this server may not fetch from there; ask its operator (CROPSVC_URL_HOSTS)"
    )
    assert took < 0.5  # 0.05 s of it are the look-up of a name on a quiet machine


def test_a_redirect_to_the_inside_is_refused(open_api: Client, origin: Origin) -> None:
    for to in (
        "http://127.0.0.2/",
        "http://[::1]/",
        "http://10.0.0.1/",
        f"//127.0.0.3:{origin.port}/",
    ):
        answer = open_api.submit(url=origin.url(f"/redirect?to={to}"))
        problem(answer, 403, "source-forbidden")
    for to in ("file:///etc/passwd", "http://ann:pw@127.0.0.1/", ""):
        answer = open_api.submit(url=origin.url(f"/redirect?to={to or '%20'}"))
        assert answer.status_code in (403, 422), answer.text


def test_a_host_that_is_not_named_is_refused(
    make_stack: Callable[..., Stack], origin: Origin
) -> None:
    stack = make_stack(worker=False, url_hosts="images.example.com", url_networks="127.0.0.0/8")
    with Client(stack.url) as api:
        problem(api.submit(url=origin.url("/image.png")), 403, "source-forbidden")


@pytest.mark.parametrize("url", ["image.jpg", "ftp://h/", "http://ann:pw@h/", "http://h:0/"])
def test_what_is_no_url_is_refused(open_api: Client, url: str) -> None:
    problem(open_api.submit(url=url), 400, "bad-parameter")


def test_a_url_goes_without_a_file(open_api: Client, origin: Origin) -> None:
    both = open_api.submit(pictures.png(), url=origin.url("/image.png"))
    problem(both, 400, "bad-parameter")


def test_fetches_are_counted(open_api: Client, origin: Origin) -> None:
    def fetched() -> float:
        lines = open_api.get("/metrics").text.splitlines()
        [line] = [one for one in lines if one.startswith('cropsvc_fetches_total{outcome="done"}')]
        return float(line.split()[-1])

    before = fetched()
    open_api.crop(url=origin.url("/image.png"))
    assert fetched() == before + 1


@pytest.mark.parametrize("answers", [("8.8.8.8", "127.0.0.1"), ("10.0.0.1",), ("::1", "8.8.8.8")])
def test_a_name_with_one_private_answer_is_refused(
    monkeypatch: pytest.MonkeyPatch, answers: tuple[str, ...]
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 80)) for one in answers]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(AddressForbidden), called(REBIND, PUBLIC_ONLY):
        pass


def test_the_address_that_was_checked_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that changes between two look-ups: there is only one."""
    looked_up: list[str] = []

    def look_up(host: str, *_: object, **__: object) -> list[object]:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))]

    connected: list[object] = []

    class Wire(socket.socket):
        def connect(self, address: object) -> None:
            connected.append(address)
            raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr("cropsvc.outbound.connection.socket.socket", Wire)
    with pytest.raises(Exception, match="no connection"), called(REBIND, PUBLIC_ONLY):
        pass
    assert (looked_up, connected) == (["rebind.test"], [("8.8.8.8", 80)])


def test_slow_origins_delay_nobody_else(open_api: Client, origin: Origin) -> None:
    data = pictures.jpeg()

    def seconds_of(count: int) -> float:
        began = time.monotonic()
        for number in range(count):
            open_api.crop(data, size=f"{50 + number}x")
        return time.monotonic() - began

    alone = seconds_of(5)
    with ThreadPoolExecutor(60) as threads:
        began = time.monotonic()
        slow = [threads.submit(open_api.submit, url=origin.url("/drip")) for _ in range(60)]
        beside = seconds_of(5)
        assert {one.result().status_code for one in slow} <= {422, 429}
        assert time.monotonic() - began < TIMEOUT + 8
    assert beside < alone * 5 + 1  # ratios are measured in bench; this only finds a standstill
