"""The front end and its crops in this process: a real store, no sockets, no worker.

A submit crops inline. The store's steps and the crop are those of the crop process, so a test
that passes here depends on nothing but the server, RQ and the limits of the crop process. Those
have tests of their own, on a real stack.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import flask
import httpx
import structlog
from redis.client import Pipeline

from cropsvc.cropping import sandbox
from cropsvc.model.job import JobRef
from cropsvc.settings.settings import Settings
from cropsvc.store import Store
from cropsvc.web import app as web
from tests.stack import Stack


class InlineQueue:
    """A queue whose `publish` returns when the job has ended."""

    name = "inline"

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        self._limits = settings.limits

    def enqueue(self, pipe: Pipeline, ref: JobRef, upload_from: str) -> None:
        """Begin the transaction, to which this queue adds nothing: `publish` runs the job."""
        pipe.multi()

    def commands(self, ref: JobRef, upload_from: str) -> None:
        """Return nothing to add to the transaction: `publish` runs the job."""

    def publish(self, ref: JobRef, upload_from: str) -> None:
        """Run the job."""
        progress = _Progress(self._store, ref)
        reply = sandbox._Cropping(self._store, self._limits, progress).run(ref, upload_from)  # type: ignore[arg-type]
        assert reply.state in ("done", "failed"), reply

    def forget(self, ref: JobRef) -> bool:
        """Return True: no job waits here, and no worker will see one."""
        return True

    def workers(self) -> int:
        """Return 1, which stands for this process."""
        return 1


class _Progress:
    """The end of the crop process's pipe that it reports progress to."""

    def __init__(self, store: Store, ref: JobRef) -> None:
        self._store, self._ref = store, ref

    def send_bytes(self, message: bytes) -> None:
        report = json.loads(message)
        self._store.report(self._ref, report["fraction"], report["stage"], None)


@contextmanager
def in_process(directory: Path, **variables: str) -> Iterator[flask.Flask]:
    """The front end with the default settings and *variables*, on a Valkey of its own."""
    stack = Stack(directory, worker=False)
    stack.start_valkey()
    settings = Settings.from_env({"CROPSVC_REDIS_URL": stack.redis_url, **variables})
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield _app(settings)
    finally:
        structlog.reset_defaults()
        stack.stop()


def _app(settings: Settings) -> flask.Flask:
    """Return the front end on an InlineQueue; pytest keeps its log handlers."""
    with (
        mock.patch.object(web, "queue_from", InlineQueue),
        mock.patch.object(web.logs, "configure"),
    ):
        return web.create_app(settings)


class Transport(httpx.WSGITransport):
    """httpx's, which cannot send a header that is not ASCII. A server passes it as Latin-1."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to the app."""
        headers = request.headers.raw
        request.headers = httpx.Headers([(k, v) for k, v in headers if v.isascii()])
        others = {_variable(k): v.decode("latin-1") for k, v in headers if not v.isascii()}

        def app(environ: dict[str, Any], start_response: Any) -> Any:
            return self.app({**environ, **others}, start_response)

        return httpx.WSGITransport(app, raise_app_exceptions=False).handle_request(request)


def _variable(header: bytes) -> str:
    return f"HTTP_{header.decode().upper().replace('-', '_')}"
