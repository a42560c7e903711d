"""What goes with a job to where it is cropped: its request's id and, when traced, the context.

OpenTelemetry itself is in spans.py, which is loaded only when traces are asked for.
"""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cropsvc.observability.opentelemetry import Spans

log = logging.getLogger(__name__)


def carried(request_id: str, context: str) -> str:
    """Both as one text; *context* is a W3C `traceparent`, or empty."""
    return f"{request_id} {context}".rstrip()


def request_of(trace: str) -> str:
    """Return the request's id."""
    return trace.partition(" ")[0]


def context_of(trace: str) -> str:
    """Return the `traceparent`; empty for a job that is not traced."""
    return trace.partition(" ")[2]


def spans_of(endpoint: str, service: str) -> "Spans | None":
    """Where *service* sends its spans; None without *endpoint*, or without the extra `tracing`."""
    if not endpoint:
        return None
    try:
        from cropsvc.observability.opentelemetry import Spans
    except ModuleNotFoundError as error:
        log.warning("no traces are sent: %s; install requirements/tracing.txt", error)
        return None
    return Spans(endpoint, service)
