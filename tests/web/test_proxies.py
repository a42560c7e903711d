"""Forwarded headers count only when they come through a trusted proxy."""

from ipaddress import ip_network

import pytest

from cropsvc.web.proxies import TrustedProxies

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
