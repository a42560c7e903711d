"""The security headers on what gunicorn itself answers, to requests that no application sees."""

from typing import Any

HEADERS = (
    b"Content-Security-Policy: default-src 'none'; sandbox\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"X-Frame-Options: DENY\r\n"
    b"Referrer-Policy: same-origin\r\n"
    b"Cross-Origin-Resource-Policy: same-origin\r\n"
    b"Cache-Control: no-store\r\n"
)


class Marked:
    """A client's socket, for one whole answer: the headers go in behind its first line."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, answer: bytes) -> None:
        """Sends the answer with the headers."""
        line, end, rest = answer.partition(b"\r\n")
        self._sock.sendall(line + end + HEADERS + rest)
