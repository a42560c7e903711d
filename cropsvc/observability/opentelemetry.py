"""Spans for OpenTelemetry, sent to a collector by OTLP over HTTP.

Imported only when traces are asked for; needs the extra `tracing`. The SDK reads its own OTEL_*
variables for sampling, headers and batches.
"""

import logging
from collections.abc import Mapping, Sequence
from itertools import pairwise

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cropsvc import __version__

Marks = Sequence[tuple[str, float]]
W3C = TraceContextTextMapPropagator()
ANSWER_SECONDS = 2  # that a collector has; the end of a process waits for it twice at most


class Spans:
    """Makes spans and sends them, from a thread of its own; a collector that is away loses them."""

    def __init__(self, endpoint: str, service: str) -> None:
        # One line for each batch that is lost is enough, without those of each attempt.
        logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)
        named = Resource.create({"service.name": service, "service.version": __version__})
        provider = TracerProvider(resource=named.merge(OTELResourceDetector().detect()))
        exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=ANSWER_SECONDS)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer = provider.get_tracer("cropsvc", __version__)

    def export_spans(self, context: str, marks: Marks, job: str, error: str) -> None:
        """Return the spans of a job that ended: its wait, its crop, and the crop's stages.

        *context* is the `traceparent` of the request that made it.
        *marks* are names and times (seconds since the epoch) of what began when: the wait, each
        stage, the end. *error* is the job's code, or empty.
        """
        request = W3C.extract({"traceparent": context})
        (_, created), (_, began), *_, (_, ended) = marks
        facts = {"cropsvc.job": job}
        self._section("queue", request, (created, began), facts=facts)
        crop = self._section(
            "crop", request, (began, ended), facts=facts, error=error, kind=SpanKind.CONSUMER
        )
        inside = set_span_in_context(crop)
        for (stage, start), (_, end) in pairwise(marks[1:]):
            self._section(stage, inside, (start, end))

    def _section(
        self,
        name: str,
        parent: Context,
        times: tuple[float, float],
        *,
        facts: Mapping[str, str] | None = None,
        error: str = "",
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        start, end = times
        span = self.tracer.start_span(name, parent, kind, facts, start_time=_nanoseconds(start))
        if error:
            mark_failed(span, error)
        span.end(_nanoseconds(max(start, end)))  # two hosts' clocks may differ
        return span


def mark_failed(span: Span, code: str) -> None:
    """Give the span an error's code of the contract."""
    span.set_attribute("error.type", code)
    span.set_status(Status(StatusCode.ERROR, code))


def traceparent(span: Span) -> str:
    """Return the span's context for work done elsewhere; empty if it is not sampled."""
    carrier: dict[str, str] = {}
    W3C.inject(carrier, set_span_in_context(span))
    return carrier.get("traceparent", "") if span.is_recording() else ""


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
