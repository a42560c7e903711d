"""rq-dashboard 0.9 with its faults put right.

Its blueprint reads its names from its module when a request comes, so better ones are put there.
Its views that stay: the overviews, the queues, the workers, the lists. Its templates are
overlaid by ours of the same names.
"""

from typing import Any

import rq_dashboard.web as web
from flask import Flask, Response, abort, current_app, jsonify, render_template, request
from redis import Redis
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from cropsvc.dashboard import actions, serialize
from cropsvc.dashboard.rq_models import (
    QUEUED,
    REGISTRIES,
    ReadOnlyJob,
    ReadOnlyQueue,
    ShownWorker,
    fetch,
    job_ids,
)
from cropsvc.dashboard.services import services
from cropsvc.queues.rq.queue import UNREADABLE

ORDERS = ("asc", "dsc")
MOST_ON_PAGE = 200
SERVED = (".css", ".ico")  # of upstream's files; its scripts are years old and not used


def mount(app: Flask, client: Redis) -> None:
    """Register the blueprint at `/`, on *client*."""
    _put_right()
    app.redis_conn = client  # type: ignore[attr-defined]  # where upstream's views look
    app.config["RQ_DASHBOARD_REDIS_URL"] = ("redis",)  # shown to nobody, so it needs no secret
    app.register_blueprint(web.blueprint)
    app.view_functions.update(
        {
            "rq_dashboard.job_view": job_view,
            "rq_dashboard.job_info": job_info,
            "rq_dashboard.delete_job_view": actions.delete,
            "rq_dashboard.requeue_job_view": actions.requeue,
            "rq_dashboard.requeue_all": actions.requeue_all,
            "rq_dashboard.empty_queue": actions.empty,
            "rq_dashboard.compact_queue": actions.compact,
        }
    )
    app.before_request(refuse_unknown)


def _put_right() -> None:
    web.config.serializer = JSONSerializer
    web.Job, web.Queue, web.Worker = ReadOnlyJob, ReadOnlyQueue, ShownWorker
    web.RedisConnectionError = ()  # upstream answers 200 to it; here it is a 503
    web.get_queue_registry_jobs_count = rows
    web.serialize_current_job = current_job
    # Upstream connects again for each request, and keeps the last connection for all.
    web.from_url = lambda *_, **__: (None, current_app.redis_conn)  # type: ignore[attr-defined]


def refuse_unknown() -> None:
    """404 for what upstream answers with 500: instances, registries, pages that are not there."""
    asked = request.view_args or {}
    if asked.get("instance_number", 0) != 0:
        abort(404, "there is one Redis here, number 0")
    registry = asked.get("registry_name", QUEUED)
    if registry != QUEUED and registry not in REGISTRIES:
        abort(404, "there is no such registry")
    if asked.get("order", "asc") not in ORDERS:
        abort(404, "the order is asc or dsc")
    if not 1 <= _number(asked.get("per_page", 1)) <= MOST_ON_PAGE:
        abort(404, f"a page shows 1 to {MOST_ON_PAGE} jobs")
    if _number(asked.get("page", 1)) < 1:
        abort(404, "pages count from 1")
    if request.endpoint == "rq_dashboard.static" and not asked["filename"].endswith(SERVED):
        abort(404)


def _number(value: str | int) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0


def rows(
    queue_name: str, registry_name: str, offset: int, per_page: int, order: str, connection: Redis
) -> tuple[int, list[dict[str, Any]]]:
    """How many jobs a registry holds, and one page of them; upstream's pages overlap."""
    queue = ReadOnlyQueue(queue_name, connection=connection)
    window = slice(offset, offset + per_page)
    total, ids = job_ids(queue, registry_name, window, newest_first=order == "dsc")
    found = (serialize.row(job_id, connection) for job_id in dict.fromkeys(ids))
    return total, [one for one in found if one]


def current_job(job: Job | None) -> str | dict[str, Any]:
    """Return what a worker does now; upstream shows the call with all its arguments."""
    if not isinstance(job, ReadOnlyJob):
        return "idle"
    return {**serialize.summary(job), "job_id": job.id, "call_string": serialize.function_of(job)}


def job_view(instance_number: int, job_id: str) -> str:
    """Return the page of one job."""
    if serialize.row(job_id, services().client) is None:
        abort(404, "there is no such job on RQ's books")
    return render_template("rq_dashboard/job.html", id=job_id, active_tab="jobs")


def job_info(instance_number: int, job_id: str) -> Response:
    """Return what the page of one job shows, as JSON."""
    try:
        job = fetch(job_id, services().client)
        return jsonify(serialize.details(job))
    except NoSuchJobError:
        abort(404, "there is no such job on RQ's books")
    except UNREADABLE as error:
        return jsonify(serialize.unreadable(job_id, error))
