"""An origin on loopback that behaves as its path says."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests import pictures


class Origin(ThreadingHTTPServer):
    """Serves an image at /image.png; see `_Handler` for the rest."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.image = pictures.png()
        self.seen: list[dict[str, str]] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def url(self, path: str) -> str:
        """The URL of a path."""
        return f"http://127.0.0.1:{self.port}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Origin
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        self.server.seen.append({name.lower(): value for name, value in self.headers.items()})
        if path == "/status":
            self._answer(int(query["code"][0]), b"", {})
        elif path == "/redirect":
            self._answer(302, b"", {"Location": query["to"][0]})
        elif path == "/hops":
            left = int(query["left"][0])
            to = f"/hops?left={left - 1}" if left else "/image.png"
            self._answer(307, b"", {"Location": to})
        elif path == "/drip":
            self._drip()
        elif path == "/endless":
            self._endless()
        elif path == "/continue":
            self._continue()
        else:
            self._answer(200, self.server.image, {"Content-Type": "text/html"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        with _client_may_leave():
            for _ in range(60):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(1)

    def _endless(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        with _client_may_leave():
            while True:
                self.wfile.write(b"\x89PNG" * 20_000)

    def _continue(self) -> None:
        self.close_connection = True
        end = time.monotonic() + 20
        with _client_may_leave():
            while time.monotonic() < end:
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 2000)

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def _client_may_leave() -> Iterator[None]:
    with suppress(OSError):
        yield


@contextmanager
def serving() -> Iterator[Origin]:
    """An origin that answers meanwhile."""
    origin = Origin()
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    try:
        yield origin
    finally:
        origin.shutdown()
        origin.server_close()
