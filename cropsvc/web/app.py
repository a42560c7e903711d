"""Puts the front end together."""

from flask import Flask

from cropsvc.imaging.params.presets import presets_of
from cropsvc.jobs.events import JobEvents
from cropsvc.jobs.service import Jobs, Policy
from cropsvc.observability import logs
from cropsvc.observability.trace_context import spans_of
from cropsvc.queues.factory import queue_from
from cropsvc.serving.host_header import CheckedHost
from cropsvc.settings.settings import Settings
from cropsvc.store import Store, connection
from cropsvc.store.objects import objects_for_front_end
from cropsvc.web import (
    access_log,
    api,
    archive,
    assets,
    auth,
    capabilities,
    detect,
    health,
    language,
    legacy,
    metrics,
    pages,
    problems,
    rate_limit,
    security,
    token_calls,
    webhook,
)
from cropsvc.web.openapi import docs_page
from cropsvc.web.proxies import TrustedProxies
from cropsvc.web.services import EXTENSION, Services

BLUEPRINTS = (
    *(
        api.bp,
        token_calls.bp,
        webhook.bp,
        archive.bp,
        detect.bp,
        capabilities.bp,
        health.bp,
        metrics.bp,
    ),
    *(pages.bp, auth.bp, legacy.bp, docs_page.bp),
)


def create_app(settings: Settings) -> Flask:
    """Return the front end for these settings."""
    logs.configure(settings.log_format, settings.log_level)
    client = connection.for_front_end(settings.redis_url)
    objects = objects_for_front_end(settings.blobs)
    store = Store(client, settings.lifetimes, settings.secrets, objects)
    limits, presets = settings.limits, presets_of(settings)
    policy = Policy(settings.queue_cap, auth.owners_of(settings.api_keys), limits)
    parts = (store, queue_from(settings, store), JobEvents(store.changes, store.load), policy)
    spans = spans_of(settings.otlp_endpoint, "cropsvc-web")
    if not spans:
        return app_of(Services(settings, store, Jobs(*parts), presets))
    from cropsvc.web import tracing

    app = app_of(Services(settings, store, tracing.TracedJobs(spans, *parts), presets))
    tracing.install(app, spans)
    return app


def app_of(services: Services) -> Flask:
    """Return the Flask app on these collaborators."""
    app = Flask("cropsvc.web")
    app.extensions[EXTENSION] = services
    app.extensions[rate_limit.EXTENSION] = rate_limit.RateLimit(
        services.settings.rate_limit, services.store
    )
    app.wsgi_app = TrustedProxies(  # type: ignore[method-assign]  # Flask's documented way
        CheckedHost(app.wsgi_app), services.settings.trusted_proxies
    )
    app.url_map.strict_slashes = False
    problems.install(app)
    access_log.install(app)
    metrics.install(app, services.store)
    security.install(app)
    assets.install(app)
    language.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app
