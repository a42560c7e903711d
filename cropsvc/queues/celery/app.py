"""The Celery app of front end and worker: the queue, what it accepts, how it talks to RabbitMQ."""

from typing import Any

from celery import Celery

from cropsvc.cropping.runner import ATTEMPTS
from cropsvc.settings.settings import Settings

QUEUE = "cropsvc"
OWN_JOB = "cropsvc.job"  # the task that stands for a job of our own store

CONNECTIONS = 8  # of one front end process: each is dear to open, and busy for milliseconds
CONNECT_SECONDS = 1.0
BROKER_HEARTBEAT_SECONDS = 120  # a worker does not answer the broker while it crops


def celery_app(settings: Settings) -> Celery:
    """Return the app for these settings. It connects when it is first used."""
    app = Celery(
        QUEUE,
        broker=settings.broker_url,
        backend=f"cropsvc.queues.celery.result_backend.Results+{backend_url(settings.redis_url)}",
        set_as_current=False,
        changes=_CONF,
    )
    longest = ATTEMPTS * settings.job_timeout
    app.conf.update(
        broker_heartbeat=max(BROKER_HEARTBEAT_SECONDS, 2 * longest),
        result_expires=settings.result_ttl,
    )
    return app


_CONF: dict[str, Any] = {
    "task_default_queue": QUEUE,
    "task_default_queue_type": "quorum",  # limits come by policy: see docs/design.md
    "task_create_missing_queues": False,
    "accept_content": ["json", "msgpack"],
    "task_serializer": "json",
    "result_serializer": "msgpack",
    "result_accept_content": ["json", "msgpack"],
    "broker_transport_options": {"confirm_publish": True},
    "broker_connection_timeout": CONNECT_SECONDS,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,  # without a limit
    "broker_pool_limit": CONNECTIONS,
    "task_acks_late": True,
    "worker_prefetch_multiplier": 1,
    "worker_consumer": "cropsvc.queues.celery.worker:PlainConsumer",
    "worker_enable_remote_control": False,  # any client of the broker could stop the worker
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,  # they have one effect anyway
    "result_backend_always_retry": True,
    "redis_socket_timeout": 10.0,
    "redis_socket_connect_timeout": 2.0,
}


def backend_url(redis_url: str) -> str:
    """Return the store's URL as Celery's result backend spells it."""
    scheme, _, rest = redis_url.partition("://")
    if scheme == "unix":
        return f"socket://{rest}".replace("?db=", "?virtual_host=")
    if scheme == "rediss" and "ssl_cert_reqs=" not in rest:
        return f"{redis_url}{'&' if '?' in rest else '?'}ssl_cert_reqs=required"  # redis-py's own
    return redis_url
