"""What gunicorn itself answers, to requests that no application sees: problems, and hardened."""

import json
from typing import Any

HEADERS = (
    b"Content-Security-Policy: default-src 'none'; sandbox\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"X-Frame-Options: DENY\r\n"
    b"Referrer-Policy: same-origin\r\n"
    b"Cross-Origin-Resource-Policy: same-origin\r\n"
    b"Cache-Control: no-store\r\n"
    b"Connection: close\r\n"
    b"Content-Type: application/problem+json\r\n"
)
DETAILS = {
    "414": "the request line is too long; hand the parameters in as form fields",
    "431": "the request's headers are too long, or too many",
}
BROKEN = "the request's first line or its headers cannot be read"


class ProblemSocket:
    """A client's socket, for one whole answer: of what gunicorn says, the first line is kept."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, answer: bytes) -> None:
        """Send the answer's status as a problem, with the headers."""
        line = answer.partition(b"\r\n")[0]
        body = _problem(*line.decode("latin-1").split(" ", 2)[1:])
        head = line + b"\r\n" + HEADERS + b"Content-Length: %d\r\n\r\n" % len(body)
        self._sock.sendall(head + body)


def _problem(status: str, title: str) -> bytes:
    facts = {
        "type": "/docs#bad-request",
        "title": title,
        "status": int(status),
        "detail": DETAILS.get(status, BROKEN),
        "code": "bad-request",
    }
    return json.dumps(facts).encode()
