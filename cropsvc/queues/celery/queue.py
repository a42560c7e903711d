"""Celery's side of the queue: sends jobs to RabbitMQ and waits for each confirm."""

import time
from collections.abc import Callable

from celery import Celery
from kombu.connection import Connection

from cropsvc.model.errors import Unavailable
from cropsvc.model.job import JobRef
from cropsvc.queues.celery.app import OWN_JOB, QUEUE
from cropsvc.store import Store

PATIENCE_SECONDS = 1.6  # for a connection and the confirm together: 503 within 2 s
RETRY_AFTER = 2  # seconds


class CeleryJobQueue:
    """Celery on RabbitMQ as the front end and the worker's own recovery see it."""

    name = "celery"

    def __init__(self, app: Celery, store: Store) -> None:
        self._app = app
        self._store = store

    def commands(self, ref: JobRef, upload_from: str) -> None:
        """Return None: a message cannot be part of a transaction, so `publish` follows it."""

    def publish(self, ref: JobRef, upload_from: str) -> None:
        """Send the message of a stored job. Raises Unavailable unless the broker confirms it."""

        def send(connection: Connection, seconds: float) -> None:
            amqp = self._app.amqp
            arguments = (ref.owner, ref.id, upload_from)
            amqp.send_task_message(
                amqp.Producer(connection, auto_declare=False),
                OWN_JOB,
                amqp.create_task_message(ref.id, OWN_JOB, arguments, ignore_result=True),
                retry=False,
                mandatory=True,  # without it the broker confirms messages that it cannot route
                confirm_timeout=seconds,
            )

        self._with_connection(send)

    def ready(self) -> int:
        """Return how many messages wait on the broker for a worker. Raises Unavailable."""
        found: list[int] = []

        def look(connection: Connection, seconds: float) -> None:
            queue = self._app.amqp.queues[QUEUE](connection.default_channel)
            found.append(queue.queue_declare(passive=True).message_count)

        self._with_connection(look)
        return found[-1]

    def forget(self, ref: JobRef) -> bool:
        """Return False: RabbitMQ cannot remove a message. A worker drops it on delivery."""
        return False

    def workers(self) -> int:
        """Return how many workers have a fresh heartbeat."""
        return self._store.live_workers()

    def _with_connection(self, step: Callable[[Connection, float], None]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        pool = self._app.pool
        try:
            with pool.acquire(block=True, timeout=PATIENCE_SECONDS / 3) as connection:
                _try_twice(connection, step, until)
        except (*_troubles(pool.connection), pool.LimitExceeded) as error:
            detail = f"RabbitMQ cannot be used now ({type(error).__name__}); try again"
            raise Unavailable(detail, retry_after=RETRY_AFTER) from error


def _try_twice(
    connection: Connection, step: Callable[[Connection, float], None], until: float
) -> None:
    """Try again if an idle connection had died. A connection that hangs is not tried again."""
    was_connected = connection.connected
    try:
        _try(connection, step, until)
    except TimeoutError:
        raise
    except _troubles(connection):
        if not was_connected:
            raise
        _try(connection, step, until)


def _try(connection: Connection, step: Callable[[Connection, float], None], until: float) -> None:
    try:
        if not connection.connected:
            connection.ensure_connection(  # type: ignore[no-untyped-call]  # kombu is half typed
                max_retries=0, reraise_as_library_errors=False
            )
        seconds = max(0.1, until - time.monotonic())
        with connection.connection.transport.having_timeout(seconds):
            step(connection, seconds)
    except BaseException:
        # Its state is unknown.
        connection.collect(socket_timeout=0.1)  # type: ignore[no-untyped-call]  # kombu as above
        raise


def _troubles(connection: Connection) -> tuple[type[Exception], ...]:
    return (*connection.connection_errors, *connection.channel_errors)
