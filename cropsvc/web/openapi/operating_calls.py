"""What operators call: health, figures, this description."""

from cropsvc.web.openapi.call import RANGE, Call
from cropsvc.web.openapi.responses import HTML, JSON, Response
from cropsvc.web.openapi.schemas import ref

OPERATING_CALLS = (
    Call(
        "get",
        "/v1/capabilities",
        "capabilities",
        "Capabilities",
        "Input and output formats, presets, the extras and whether they are installed, limits.",
        (Response(200, "The capabilities.", {JSON: ref("Capabilities")}),),
        tag="Operations",
        owned=False,
        example="curl -sS {url}/v1/capabilities",
    ),
    Call(
        "get",
        "/v1/presets",
        "presets",
        "Presets",
        "Names, descriptions and parameters of the presets that `preset` may name.",
        (Response(200, "The presets.", {JSON: ref("Presets")}),),
        tag="Operations",
        owned=False,
        example="curl -sS {url}/v1/presets",
    ),
    Call(
        "get",
        "/healthz",
        "healthz",
        "Health check",
        "200 while the process lives.",
        (Response(200, "The process lives.", {JSON: ref("Health")}),),
        tag="Operations",
        owned=False,
        example="curl -sS {url}/healthz",
    ),
    Call(
        "get",
        "/readyz",
        "readyz",
        "Readiness check",
        "200 only if the store answers, a worker's heartbeat is fresh and the queue is under its "
        "cap. A submit is taken without a worker too, and waits.",
        (
            Response(200, "Ready.", {JSON: ref("Readiness")}),
            Response(503, "Not ready; `failing` names what fails.", {JSON: ref("Readiness")}),
        ),
        tag="Operations",
        owned=False,
        example="curl -sS {url}/readyz",
    ),
    Call(
        "get",
        "/metrics",
        "metrics",
        "Metrics for Prometheus",
        "Requests, queue, jobs by outcome, times, bytes, workers; the same from every process. "
        "Without Redis: `cropsvc_redis_up 0` alone.",
        (Response(200, "The figures.", {"text/plain": {}}),),
        tag="Operations",
        owned=False,
        example="curl -sS {url}/metrics",
    ),
    Call(
        "get",
        "/openapi.json",
        "openapi",
        "OpenAPI document",
        "OpenAPI 3.1.",
        (
            Response(200, "The document.", {JSON: {"type": "object"}}, ("Cache-Control",)),
            Response(304, "Not modified: `If-None-Match` has the `ETag`."),
        ),
        parameters=(RANGE[1],),
        tag="Operations",
        owned=False,
        example="curl -sS {url}/openapi.json",
    ),
    Call(
        "get",
        "/docs",
        "docs",
        "This page",
        "Readable without any other server.",
        (Response(200, "The page.", {HTML: {}}),),
        tag="Operations",
        owned=False,
    ),
)
