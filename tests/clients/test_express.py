"""The Express example from a clean checkout: photos in, a webhook, crops out."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from cropsvc.webhooks.delivery import headers_of, message
from tests import pictures
from tests.clients.test_javascript import node
from tests.components import require
from tests.stack import Part, Stack, free_port, until
from tests.tools import checkout, run
from tests.webhooks.receiver import SECRET
from tests.webhooks.test_delivery import JOB


@pytest.fixture(scope="module")
def shop(
    make_module_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of the example, installed and started as its README says."""
    program, npm, port = node(), require("npm"), free_port()
    folder: Path = checkout(tmp_path_factory.mktemp("shop"), "clients/js", "examples/express")
    place = folder / "examples" / "express"
    run(npm, "ci", "--silent", "--no-audit", "--no-fund", cwd=place)
    stack = make_module_stack(
        workers=1, webhook_secret=SECRET, webhook_hosts=f"127.0.0.1:{port}",
        url_networks="127.0.0.1/32",
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    environ = {
        "PATH": "/usr/bin:/bin", "CROPSVC_URL": stack.url, "PUBLIC_URL": url, "PORT": str(port),
        "WEBHOOK_SECRET": SECRET, "PHOTOS": str(folder / "photos"),
    }  # fmt: skip
    server = Part("shop", [program, str(place / "server.js")], environ=environ, log=folder / "log")
    courier = stack._part("webhooks", [sys.executable, "-m", "cropsvc.webhooks"], stack.environ)
    server.start()
    courier.start()
    with httpx.Client(base_url=url, timeout=30) as client:
        until(lambda: _listens(client), seconds=20, what=f"the shop listens\n{server.tail()}")
        yield client
    for part in (server, courier):
        part.process.kill()
        part.join(10)


def _listens(client: httpx.Client) -> bool:
    try:
        return client.get("/products/none").status_code == 404
    except httpx.TransportError:
        return False


def test_a_photo_becomes_two_files_when_the_webhook_comes(shop: httpx.Client) -> None:
    photo = {"content": pictures.jpeg(800, 600), "headers": {"Content-Type": "image/jpeg"}}
    assert shop.put("/products/blue-mug/photo", **photo).status_code == 202

    def noted() -> dict | None:
        found = shop.get("/products/blue-mug").json()
        return found if "files" in found else None

    found = until(noted, seconds=20, what="the webhook came")
    assert found == {
        "state": "done", "files": ["/photos/blue-mug-large.webp", "/photos/blue-mug-thumb.webp"],
    }  # fmt: skip
    shapes = [pictures.decode(shop.get(path).content).shape[:2] for path in found["files"]]
    assert shapes == [(600, 800), (200, 200)]


@pytest.mark.parametrize(
    ("path", "status"), [("/products/blue-mug/photo", 415), ("/products/..%2fx/photo", 404)]
)
def test_what_is_no_photo_or_no_product_is_refused(
    shop: httpx.Client, path: str, status: int
) -> None:
    answer = shop.put(path, content=b"no photo", headers={"Content-Type": "image/png"})
    assert answer.status_code == status


@pytest.mark.parametrize(("change", "status"), [(b" ", 401), (b"", 503)])
def test_only_signed_messages_of_known_jobs_count(
    shop: httpx.Client, change: bytes, status: int
) -> None:
    body = message(JOB)
    headers = {**headers_of(JOB, body, (SECRET,)), "Content-Type": "application/json"}
    answer = shop.post("/webhooks/crops", content=body + change, headers=headers)
    assert answer.status_code == status
