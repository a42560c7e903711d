"""Forwarded headers count only when they come through a trusted proxy."""

import hashlib
from ipaddress import ip_network

import httpx
import pytest

from cropsvc.web.proxies import TrustedProxies
from tests import pictures
from tests.contract.client import Client
from tests.stack import Stack

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


def seen(remote: str, forwarded: str = "", **headers: str) -> dict:
    """The environ that reaches the app."""
    got: dict = {}

    def app(environ, start_response):
        got.update(environ)
        return []

    environ = {
        "REMOTE_ADDR": remote,
        "HTTP_HOST": "inside:5000",
        "wsgi.url_scheme": "http",
        "SERVER_NAME": "inside",
        "SERVER_PORT": "5000",
        **{f"HTTP_X_FORWARDED_{name.upper()}": value for name, value in headers.items()},
    }
    if forwarded:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    TrustedProxies(app, TRUSTED)(environ, None)
    return got


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("192.0.2.7", "203.0.113.9", "192.0.2.7"),
        ("10.1.2.3", "203.0.113.9", "203.0.113.9"),
        ("10.1.2.3", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.1.2.3", "198.51.100.1, 203.0.113.9, 10.9.9.9", "203.0.113.9"),
        ("10.1.2.3", "nonsense, 10.9.9.9", "nonsense"),
        ("10.1.2.3", "", "10.1.2.3"),
        ("::1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.1.2.3", "203.0.113.9, ::ffff:10.9.9.9", "203.0.113.9"),
        ("10.1.2.3", "203.0.113.9:51123", "203.0.113.9"),
        ("10.1.2.3", "[2001:db8::7]:443", "2001:db8::7"),
        ("10.1.2.3", "203.0.113.9:51123, 10.9.9.9:80", "203.0.113.9"),
        ("10.1.2.3", "2001:db8::7", "2001:db8::7"),
    ],
)
def test_the_address_is_the_one_the_outermost_trusted_proxy_saw(remote, forwarded, address) -> None:
    assert seen(remote, forwarded)["REMOTE_ADDR"] == address


def test_a_stranger_forwards_no_scheme_or_host() -> None:
    environ = seen("192.0.2.7", proto="https", host="evil.example")
    assert (environ["wsgi.url_scheme"], environ["HTTP_HOST"]) == ("http", "inside:5000")


def test_a_trusted_proxy_forwards_scheme_and_host() -> None:
    environ = seen("10.1.2.3", "203.0.113.9", proto="https", host="crops.example")
    assert (environ["wsgi.url_scheme"], environ["HTTP_HOST"]) == ("https", "crops.example")


# On a real stack, whose proxy the test plays: its address is trusted in one and not in the other.

KEY = "alices key"
FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "crops.example"}


@pytest.fixture(scope="module", params=["127.0.0.1", "10.0.0.0/8"], ids=["trusted", "stranger"])
def proxied(make_module_stack, request) -> tuple[Stack, bool]:
    """A stack, and whether it trusts this machine."""
    keys = f"alice:{hashlib.sha256(KEY.encode()).hexdigest()}"
    stack = make_module_stack(worker=False, trusted_proxies=request.param, api_keys=keys)
    return stack, request.param == "127.0.0.1"


def statuses(stack: Stack, addresses: list[str]) -> list[int]:
    """What submits are told that come forwarded for these addresses."""
    with Client(stack.url) as api:
        forwarded = [{"X-Forwarded-For": address} for address in addresses]
        return [api.submit(pictures.png(), headers=headers).status_code for headers in forwarded]


def test_a_trusted_proxys_clients_have_a_rate_each(make_stack) -> None:
    stack = make_stack(worker=False, rate_limit="2/minute", trusted_proxies="127.0.0.1")
    one, other = "203.0.113.1", "203.0.113.2"
    assert statuses(stack, [one, one, one]) == [202, 202, 429]
    assert statuses(stack, [other, f"198.51.100.7, {one}"]) == [202, 429]
    assert statuses(stack, [f"198.51.100.7, {other}", other]) == [202, 429]


def test_what_a_stranger_says_of_its_address_changes_nothing(make_stack) -> None:
    stack = make_stack(worker=False, rate_limit="2/minute", trusted_proxies="10.0.0.0/8")
    assert statuses(stack, ["203.0.113.1", "203.0.113.2", "10.0.0.1"]) == [202, 202, 429]


def test_only_a_trusted_proxy_can_say_https(proxied: tuple[Stack, bool]) -> None:
    stack, trusted = proxied
    forwarded = {**FORWARDED, "X-Forwarded-For": "203.0.113.1"}
    answer = httpx.post(f"{stack.url}/login", data={"key": KEY}, headers=forwarded)
    assert answer.status_code == 303
    assert ("; Secure" in answer.headers["Set-Cookie"]) == trusted


def test_only_a_trusted_proxy_can_say_which_host_is_ours(proxied: tuple[Stack, bool]) -> None:
    stack, trusted = proxied
    headers = {
        **FORWARDED,
        "X-Forwarded-For": "203.0.113.1",
        "Origin": "https://crops.example",
        "Authorization": f"Bearer {KEY}",
    }
    with Client(stack.url) as api:
        answer = api.submit(pictures.png(), headers=headers)
    assert answer.status_code == (202 if trusted else 403)
