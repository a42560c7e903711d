"""nginx and Caddy with the files of deploy/, in front of a real stack, with TLS, on loopback."""

import os
import re
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

import httpx
import pytest

from tests.contract.client import Client
from tests.stack import ROOT, Stack, free_port, until

NGINX = ROOT / "deploy" / "nginx" / "cropsvc.conf"
CACHING = ROOT / "examples" / "nginx" / "cropsvc.conf"
CADDY = ROOT / "deploy" / "caddy" / "Caddyfile"
NAME = "crops.example.org"
MAIN = """
user {user};
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/cropsvc.conf;
}}
"""


@dataclass(frozen=True)
class Proxied:
    """A stack without a worker yet, and a client that reaches it through a proxy."""

    name: str
    stack: Stack
    api: Client
    plain_port: int


@dataclass(frozen=True)
class Place:
    """Where a proxy of a test lives and listens, and the port of the front end."""

    directory: Path
    plain: int
    tls: int
    port: int


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def proxied(
    request: pytest.FixtureRequest,
    make_module_stack: Callable[..., Stack],
    require: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Proxied]:
    """The service behind each of the two proxies."""
    name = request.param
    program, directory = require(name), tmp_path_factory.mktemp(name)
    _certificate(require("openssl"), directory)
    stack = make_module_stack(worker=False, workers=1, trusted_proxies="127.0.0.1")
    place = Place(directory, free_port(), free_port(), stack.port)
    options = _nginx(place, NGINX) if name == "nginx" else _caddy(place)
    with _running([program, *options], place) as api:
        yield Proxied(name, stack, api, place.plain)


@pytest.fixture(scope="module")
def caching(
    stack: Stack, require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """A client of the shared stack through nginx with the cache of examples/nginx."""
    program, directory = require("nginx"), tmp_path_factory.mktemp("cache")
    _certificate(require("openssl"), directory)
    place = Place(directory, free_port(), free_port(), stack.port)
    with _running([program, *_nginx(place, CACHING)], place) as api:
        yield api


@contextmanager
def _running(command: list[str], place: Place) -> Iterator[Client]:
    """A client of a proxy that passes requests on."""
    environ = {**os.environ, "HOME": str(place.directory)}
    with (place.directory / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environ)
    trusted = ssl.create_default_context(cafile=str(place.directory / "cert.pem"))
    try:
        with Client(f"https://localhost:{place.tls}", verify=trusted) as api:
            until(lambda: _answers(api), seconds=15, what=f"{command[0]} passes requests on")
            yield api
    finally:
        process.terminate()
        process.wait(10)


def _certificate(openssl: str, directory: Path) -> None:
    names = f"subjectAltName=DNS:localhost,DNS:{NAME}"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", names,
         "-keyout", directory / "key.pem", "-out", directory / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip


def _nginx(place: Place, shipped: Path) -> list[str]:
    """The site as it is shipped, but for ports, name, certificate and folders."""
    text = re.sub(r"^ *listen \[::\].*\n", "", shipped.read_text(), flags=re.MULTILINE)
    text = text.replace("/var/cache/nginx/", f"{place.directory}/")
    site = _replaced(
        text,
        ("127.0.0.1:5000", f"127.0.0.1:{place.port}"),
        ("listen 80;", f"listen 127.0.0.1:{place.plain};"),
        ("listen 443 ", f"listen 127.0.0.1:{place.tls} "),
        (f"server_name {NAME};", f"server_name {NAME} localhost;"),
        ("/var/log/nginx/", f"{place.directory}/"),
        (f"/etc/letsencrypt/live/{NAME}/fullchain.pem", f"{place.directory}/cert.pem"),
        (f"/etc/letsencrypt/live/{NAME}/privkey.pem", f"{place.directory}/key.pem"),
    )
    (place.directory / "cropsvc.conf").write_text(site)
    main = place.directory / "nginx.conf"
    main.write_text(MAIN.format(directory=place.directory, user=getuser()))
    return ["-p", str(place.directory), "-c", str(main)]


def _caddy(place: Place) -> list[str]:
    """The site as it is shipped, but for ports, name and certificate."""
    options = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
    tls = f"\ttls {place.directory}/cert.pem {place.directory}/key.pem\n"
    site = _replaced(
        CADDY.read_text(),
        ("127.0.0.1:5000", f"127.0.0.1:{place.port}"),
        (f"{NAME} {{\n", f"https://localhost:{place.tls} {{\n\tbind 127.0.0.1\n{tls}"),
    )
    path = place.directory / "Caddyfile"
    path.write_text(options + site)
    return ["run", "--config", str(path)]


def _replaced(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def _answers(api: Client) -> bool:
    try:
        return api.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False
