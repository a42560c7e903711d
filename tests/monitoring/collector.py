"""A collector of OpenTelemetry spans: OTLP over HTTP, in protobuf."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.stack import until

Facts = dict[str, object]


@dataclass(frozen=True)
class Seen:
    """One span as it came, with the service that sent it. Times are nanoseconds."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    start: int
    end: int
    failed: bool
    facts: Facts


@dataclass
class Collector:
    """What came so far."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list)

    def of(self, trace: str) -> list[Seen]:
        """The trace's spans, in the order of their start."""
        return sorted((span for span in self.spans if span.trace == trace), key=lambda s: s.start)

    def await_span(self, trace: str, name: str, seconds: float = 15) -> Seen:
        """The trace's span of this name, once it has come."""

        def come() -> Seen | None:
            return next((span for span in self.of(trace) if span.name == name), None)

        found = until(come, seconds=seconds, what=f"the span {name}; there are {self.of(trace)}")
        assert isinstance(found, Seen)
        return found

    def take(self, body: bytes) -> None:
        """Notes the spans of one export."""
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = str(_facts(group.resource.attributes)["service.name"])
            for scope in group.scope_spans:
                self.spans += [_seen(service, span) for span in scope.spans]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free loopback port."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known = self.path == "/v1/traces"
            if known:
                collector.take(body)
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: pytest's output is for the tests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield collector
        server.shutdown()


def _seen(service: str, span: Span) -> Seen:
    return Seen(
        service,
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.code == span.status.STATUS_CODE_ERROR,
        _facts(span.attributes),
    )


def _facts(attributes: list[KeyValue]) -> Facts:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}
