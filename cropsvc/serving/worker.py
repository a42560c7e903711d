"""gunicorn's gevent worker, with refusals that reach the client.

A refusal before the body is read must reach ordinary clients. gunicorn says `100 Continue` before
the application could refuse, and closes a connection with bytes unread, which resets it: Python
clients then saw a broken pipe instead of the 413 (15 of 15 with 40 MB under gevent).
"""

import socket
from typing import Any

import gevent
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import ParseException
from gunicorn.http.unreader import SocketUnreader

from cropsvc.serving.problem_worker import ProblemWorker

LINGER_SECONDS = 2.0
RECV_BYTES = 64 * 1024
BODY_BYTES = 256 * 1024  # received at once of a body; many uploads at once hold as much each
STALLED_SECONDS = 30  # a client that takes nothing of its answer for so long is dropped

SocketUnreader.max_body_chunk = BODY_BYTES


class Worker(ProblemWorker):
    """Leaves `100 Continue` to the application, and drains what a refused client still sends."""

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection; the kernel ends it when the client stops reading (RFC 5482)."""
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_SECONDS * 1000)
        super().handle(listener, client, addr)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Serve one request; a body that was not read is drained, or its connection closed."""
        expects = req._expected_100_continue
        req._expected_100_continue = False  # go_ahead() says it when the body is wanted
        try:
            super().handle_request(listener_name, req, sock, addr)
        except TimeoutError:  # the client stopped reading
            raise StopIteration from None
        finally:
            clean = not _is_unread(req) or (not expects and _drained(req))
            if not clean:
                _linger(sock)
        if not clean:
            raise StopIteration

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer the error, so that the client gets to read it."""
        super().handle_error(req, client, addr, exc)
        _linger(client)


def go_ahead(environ: dict[str, Any]) -> None:
    """Let a client that waits for it send its body (RFC 9110, section 10.1.1)."""
    if environ.get("HTTP_EXPECT", "").lower() == "100-continue":
        sock = environ.get("gunicorn.socket")
        if sock is not None:
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def _is_unread(req: Any) -> bool:
    if req.body is None or req.body.failed:
        return req.body is not None
    reader = req.body.reader
    if isinstance(reader, LengthReader):
        return bool(reader.length > 0)
    return getattr(reader, "parser", None) is not None


def _drained(req: Any) -> bool:
    """Read what is left of the body, if it comes soon: the connection stays usable."""
    with gevent.Timeout(LINGER_SECONDS, False):
        try:
            while req.body.read(RECV_BYTES):
                gevent.sleep(0)  # or the timeout would never fire
        except (OSError, ParseException):
            return False
        return True
    return False


def _linger(sock: Any) -> None:
    """Let the client read the answer: no more is sent, what still comes is dropped."""
    try:
        sock.shutdown(socket.SHUT_WR)
        with gevent.Timeout(LINGER_SECONDS, False):
            while sock.recv(RECV_BYTES):
                gevent.sleep(0)
    except OSError:
        return  # the client has closed; nothing is left to do
