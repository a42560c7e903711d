"""The front end's spans: one for each request, and in it one for the submit of a job.

Imported only when traces are asked for.
"""

from dataclasses import replace
from typing import Any

from flask import Flask, Response, g, request
from opentelemetry.trace import Span, SpanKind, set_span_in_context

from cropsvc.jobs.service import Jobs, Submission
from cropsvc.model.job import Job
from cropsvc.observability.opentelemetry import W3C, Spans, mark_failed, traceparent
from cropsvc.observability.trace_context import carried
from cropsvc.store import QueueSlot
from cropsvc.web.access_log import QUIET
from cropsvc.web.problems import problem_code
from cropsvc.web.request_id import request_id


class TracedJobs(Jobs):
    """Jobs whose submits have a span, and which carry their request's context with them."""

    def __init__(self, spans: Spans, *collaborators: Any) -> None:
        super().__init__(*collaborators)
        self._spans = spans

    def submit(self, place: QueueSlot, submission: Submission) -> Job:
        """As without traces."""
        span: Span = g.span
        traced = replace(submission, trace=carried(submission.trace, traceparent(span)))
        inside = set_span_in_context(span)
        with self._spans.tracer.start_as_current_span("submit", inside, SpanKind.PRODUCER) as own:
            job = super().submit(place, traced)
            own.set_attributes({"cropsvc.job": job.id, "cropsvc.cached": job.cached})
            return job


def install(app: Flask, spans: Spans) -> None:
    """Give each request of *app* a span, in its caller's trace if it names one."""

    def begin() -> None:
        if request.path not in QUIET:
            caller = W3C.extract(request.headers)
            g.span = spans.tracer.start_span(request.method, caller, SpanKind.SERVER)

    app.before_request_funcs.setdefault(None, []).insert(0, begin)  # before what refuses
    app.after_request(_end)


def _end(response: Response) -> Response:
    span: Span | None = g.get("span")
    if span is None:
        return response
    route = str(request.url_rule) if request.url_rule else ""
    span.update_name(f"{request.method} {route}".rstrip())
    span.set_attributes(
        {
            "http.request.method": request.method,
            "http.route": route,
            "http.response.status_code": response.status_code,
            "cropsvc.request": request_id(),
        }
    )
    if response.status_code >= 500:
        mark_failed(span, problem_code() or str(response.status_code))
    span.end()
    return response
