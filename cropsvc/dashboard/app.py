"""Puts the dashboard together."""

import logging

from flask import Flask, Response
from redis import Redis
from redis.exceptions import RedisError
from werkzeug.exceptions import HTTPException

from cropsvc.dashboard import access_log, actions, rq_dashboard_patches
from cropsvc.dashboard.access import Guard
from cropsvc.dashboard.services import EXTENSION, Services
from cropsvc.observability import logs
from cropsvc.queues.factory import BEYOND_CROP
from cropsvc.queues.rq.queue import RqJobQueue
from cropsvc.settings.settings import Settings
from cropsvc.store import Store, StoreUnavailable, connection
from cropsvc.store.objects import objects_for_front_end

LARGEST_BODY = 64 * 1024  # bytes; no request here needs one

log = logging.getLogger(__name__)


def create_app(settings: Settings) -> Flask:
    """Return the dashboard for these settings."""
    logs.configure(settings.log_format, settings.log_level)
    return app_of(settings, connection.for_front_end(settings.redis_url))


def app_of(settings: Settings, client: Redis) -> Flask:
    """Return the dashboard's Flask app on *client*."""
    app = Flask("cropsvc.dashboard", static_folder="assets", static_url_path="/assets")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.extensions[EXTENSION] = Services(
        client=client,
        store=Store(client, settings.lifetimes, (), objects_for_front_end(settings.blobs)),
        job_queue=RqJobQueue(
            client, timeout=settings.job_timeout + BEYOND_CROP, keep=settings.result_ttl
        ),
        keep=settings.result_ttl,
    )
    access_log.install(app)
    Guard.of(settings).install(app)
    app.register_error_handler(HTTPException, _in_words)
    app.register_error_handler(RedisError, _without_store)
    app.register_error_handler(StoreUnavailable, _without_store)
    rq_dashboard_patches.mount(app, client)
    app.register_blueprint(actions.bp)
    return app


def _in_words(error: HTTPException) -> Response:
    """Plain text: nothing in it can be markup."""
    response = Response(error.description or error.name, error.code or 500, mimetype="text/plain")
    if error.code == 405 and (allowed := getattr(error, "valid_methods", None)):
        response.allow.update(allowed)
    return response


def _without_store(error: RedisError | StoreUnavailable) -> Response:
    log.error("Redis cannot be used: %s", error)
    return Response(
        "Redis cannot be used just now; the page tries again.", 503, mimetype="text/plain"
    )
