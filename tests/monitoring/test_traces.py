"""OpenTelemetry: one trace from the caller's request through the queue to the crop's stages."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests import pictures
from tests.contract.client import Client, Json
from tests.monitoring.collector import Collector, Seen, collecting
from tests.stack import ROOT, Stack, free_port
from tests.web.test_metrics import crop_process

STAGES = ["fetching", "decoding", "cropping", "encoding", "storing"]
SOON = {"otel_bsp_schedule_delay": 100}  # milliseconds; the SDK's default is 5 s


@pytest.fixture(scope="module", name="collector")
def _collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module", name="traced")
def _traced(collector: Collector, make_module_stack) -> Stack:  # stopped before it
    settings = {"otel_exporter_otlp_endpoint": collector.url, **SOON}
    return make_module_stack(workers=1, job_timeout=4, **settings)


def calling(sampled: bool = True) -> tuple[str, str, dict[str, str]]:
    """A caller's trace, its span, and the header that tells of them."""
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    return trace, span, {"traceparent": f"00-{trace}-{span}-0{int(sampled)}"}


def test_one_trace_leads_from_the_request_to_the_stages_of_its_crop(
    traced: Stack, collector: Collector
) -> None:
    trace, caller, header = calling()
    with Client(traced.url) as api:
        response = api.submit(pictures.jpeg(), size="50x50", headers=header)
        job = api.ended(api.accept(response))
    collector.await_span(trace, "crop")
    request = collector.await_span(trace, "POST /v1/crops")
    spans = {span.name: span for span in collector.of(trace)}
    assert len(collector.of(trace)) == len(spans) == 4 + len(STAGES)
    assert request.parent == caller
    assert request.facts["cropsvc.request"] == response.headers["X-Request-Id"]
    assert request.facts["http.response.status_code"] == 202
    for name in ("submit", "queue", "crop"):
        assert spans[name].parent == request.id
        assert spans[name].facts["cropsvc.job"] == job["id"]
    assert (spans["submit"].service, spans["crop"].service) == ("cropsvc-web", "cropsvc-worker")
    assert spans["queue"].end == spans["crop"].start
    _check_stages(spans, job)


def _check_stages(spans: dict[str, Seen], job: Json) -> None:
    crop, stages = spans["crop"], [spans[name] for name in STAGES]
    assert {stage.parent for stage in stages} == {crop.id}
    assert (stages[0].start, stages[-1].end) == (crop.start, crop.end)
    assert all(before.end == after.start for before, after in pairwise(stages))
    assert not any(span.failed for span in spans.values())
    assert job["state"] == "done"


def test_a_job_that_hangs_has_a_failed_span_with_its_code(
    traced: Stack, collector: Collector
) -> None:
    trace, _, header = calling()
    os.kill(crop_process(traced), signal.SIGSTOP)
    with Client(traced.url) as api:
        job = api.accepted(pictures.unlike(1), headers=header)
        assert api.ended(job)["error"]["code"] == "timed-out"
    crop = collector.await_span(trace, "crop")
    assert crop.failed
    assert crop.facts["error.type"] == "timed-out"
    assert crop.end - crop.start > 1e9


def test_what_the_caller_does_not_sample_is_not_sent(traced: Stack, collector: Collector) -> None:
    quiet, _, unsampled = calling(sampled=False)
    loud, _, sampled = calling()
    with Client(traced.url) as api:
        for number, header in enumerate((unsampled, sampled), start=10):
            api.ended(api.accepted(pictures.unlike(number), headers=header))
    collector.await_span(loud, "crop")
    assert collector.of(quiet) == []


def test_a_refused_request_and_a_reused_result_have_a_trace_without_a_crop(
    traced: Stack, collector: Collector
) -> None:
    refused, _, first = calling()
    reused, _, second = calling()
    with Client(traced.url) as api:
        assert api.submit(b"no picture", headers=first).status_code == 415
        api.crop(pictures.unlike(20))
        assert api.crop(pictures.unlike(20), headers=second)["cached"]
    collector.await_span(reused, "POST /v1/crops")
    assert [span.name for span in collector.of(refused)] == ["POST /v1/crops"]
    assert [span.name for span in collector.of(reused)] == ["POST /v1/crops", "submit"]


def test_a_collector_that_is_away_changes_nothing(make_stack) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    stack = make_stack(workers=1, otel_exporter_otlp_endpoint=nobody, **SOON)
    with Client(stack.url) as api:
        for number in range(5):
            assert api.crop(pictures.unlike(number))["state"] == "done"
    for part in (stack.web, stack.worker):
        begun = time.monotonic()
        stack.kill(part, signal.SIGTERM)
        assert time.monotonic() - begun < 8


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout + done.stderr


def test_without_an_endpoint_nothing_of_it_is_loaded() -> None:
    """redis-py takes the SDK's metrics along where it finds them; that is not ours."""
    told = python(
        "import sys, cropsvc.run.worker, cropsvc.queues.rq.worker, cropsvc.cropping.sandbox\n"
        "from cropsvc.settings.settings import Settings\n"
        "from cropsvc.web.app import create_app\n"
        "create_app(Settings(redis_url='redis://127.0.0.1:1/0'))\n"
        "ours = ('opentelemetry.sdk.trace', 'opentelemetry.exporter',"
        " 'cropsvc.observability.opentelemetry')\n"
        "print([name for name in sys.modules if name.startswith(ours)])"
    )
    assert told.strip() == "[]"


def test_without_the_extra_an_endpoint_is_a_warning_and_no_more() -> None:
    told = python(
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from cropsvc.settings.settings import Settings\n"
        "from cropsvc.web.app import create_app\n"
        "create_app(Settings(redis_url='redis://127.0.0.1:1/0', otlp_endpoint='http://x:4318'))\n"
        "print('it serves')"
    )
    assert "no traces are sent" in told
    assert "requirements/tracing.txt" in told
    assert "it serves" in told
