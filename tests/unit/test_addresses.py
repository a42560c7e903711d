"""Which addresses and URLs may be called: a table of every form that leads inside."""

from ipaddress import ip_network

import pytest

from cropsvc.model.hosts import HostRule
from cropsvc.outbound.addresses import Allowed
from cropsvc.outbound.target import Target

INSIDE = (
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1",
    "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1", "100.127.255.255",
    "168.63.129.16", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "198.18.0.1",
    "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::7f00:1", "::127.0.0.1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::8.8.8.8", "64:ff9b:1::1", "64:ff9b:1:ffff::a00:1", "100::1", "2001::1",
    "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1",
    "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "2002:808:808::1", "3fff::1",
    "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
    "ff0e::1", "4000::1", "2a00:1450::5efe:7f00:1", "2a00:1450::200:5efe:10.0.0.1",
    "2a00:1450::200:5efe:8.8.8.8", "2a00::100:5efe:7f00:1", "2a00::300:5efe:7f00:1",
    "not-an-address", "", "1.2.3", "127.0.0.1:80",
)  # fmt: skip
PUBLIC = ("8.8.8.8", "1.1.1.1", "93.184.216.34", "2a00:1450:4001:80f::200e", "2606:4700::6810:84e5")
NOT_URLS = (
    "", "image.jpg", "//h/x", "ftp://h/x", "file:///etc/passwd", "gopher://h", "data:image/png,x",
    "http://", "http:///x", "http://:80/", "http://ann@h/", "http://ann:pw@h/", "http://h:0/",
    "http://h:99999/", "http://h:x/", "http://[", "http://[::1", "http://h\\@i/", "http://h h/",
    "http://h/\r\nX: y", "http://h\x00/", "http://\u2460.com/", "http://" + "a" * 254 + "/",
    "http://h/" + "a" * 4096, "http://-h/", "http://h-/", "jar:http://h!/", "http:h", "https:/h",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not Allowed().takes(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert Allowed().takes(address)


def test_the_table_has_sixty_forms() -> None:
    assert len(set(INSIDE)) >= 60


def test_the_operators_networks_are_allowed() -> None:
    allowed = Allowed((ip_network("10.1.0.0/16"), ip_network("::1/128")))
    assert allowed.takes("10.1.2.3")
    assert allowed.takes("::1")
    assert allowed.takes("8.8.8.8")
    assert not allowed.takes("10.2.0.1")
    assert not allowed.takes("::ffff:10.1.2.3")


def test_where_no_public_address_is_allowed_the_networks_are() -> None:
    allowed = Allowed((ip_network("10.1.0.0/16"),), public=False)
    assert allowed.takes("10.1.2.3")
    assert not any(allowed.takes(address) for address in PUBLIC)


@pytest.mark.parametrize("text", NOT_URLS)
def test_what_is_no_url_that_is_taken_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        Target.read(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://Example.ORG", "http://example.org:80/"),
        ("https://h./a?b=c#d", "https://h:443/a?b=c"),
        ("http://[2A00::1]:8080/x", "http://[2a00::1]:8080/x"),
        ("http://xn--bcher-kva.example/", "http://xn--bcher-kva.example:80/"),
        ("http://2130706433/", "http://2130706433:80/"),
    ],
)
def test_a_url_is_read_once(text: str, url: str) -> None:
    assert Target.read(text).url == url


@pytest.mark.parametrize(
    ("rule", "host", "port", "allowed"),
    [
        ("images.example.com", "images.example.com", 443, True),
        ("images.example.com", "images.example.com", 80, True),
        ("images.example.com", "images.example.com", 8080, False),
        ("images.example.com:8080", "images.example.com", 8080, True),
        ("images.example.com:8080", "images.example.com", 443, False),
        ("images.example.com", "a.images.example.com", 443, False),
        ("*.example.org", "a.example.org", 443, True),
        ("*.example.org", "a.b.example.org", 443, True),
        ("*.example.org", "example.org", 443, False),
        ("*.example.org", "evilexample.org", 443, False),
        ("*", "anything.test", 443, True),
        ("*", "anything.test", 22, False),
        ("*:8000", "anything.test", 8000, True),
        ("127.0.0.1:9", "127.0.0.1", 9, True),
        ("[::1]:9", "::1", 9, True),
        ("EXAMPLE.com.", "example.com", 443, True),
    ],
)
def test_a_rule_allows_its_hosts_and_ports(rule: str, host: str, port: int, allowed: bool) -> None:
    assert HostRule.read(rule).allows(host, port) == allowed
