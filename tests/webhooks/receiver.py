"""A receiver of webhooks on loopback that answers as its path says, and keeps what came."""
# `on_message` runs before the answer, while the sender waits; if it returns False, that is 500.

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

SECRET = "whsec_" + "QkJC" * 8


class Receiver(ThreadingHTTPServer):
    """Verifies every message; a wrong signature is kept in `wrong`."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.came: list[tuple[str, str, dict]] = []  # path, webhook-id, the message
        self.wrong: list[str] = []
        self.on_message: Callable[[dict], bool] = lambda message: True

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def url(self, path: str) -> str:
        """The URL of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def count(self, path: str) -> int:
        """How many messages came to this path."""
        return sum(came[0] == path for came in list(self.came))


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            found = Verifier(SECRET).verify(body, dict(self.headers.items()))
        except WebhookVerificationError as error:
            self.server.wrong.append(repr(error))
            found = {}
        self.server.came.append((self.path, self.headers["webhook-id"], found))
        is_seen = self.server.on_message(found)
        times = self.server.count(self.path)
        if self.path == "/hang":
            time.sleep(60)
        status = {"/410": 410, "/redirect": 302, "/429": 429}.get(self.path, 204)
        if not is_seen or (self.path == "/flaky" and times == 1):
            status = 500
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "50")
        if status == 302:
            self.send_header("Location", "/ok")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that answers until the block ends."""
    receiver = Receiver()
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        receiver.server_close()
