"""What single requests cost: latency on an idle system, and submits to a deep queue."""

import io
import time
from statistics import median

from PIL import Image

from bench.exchanges import Keep, Steps, request, upload
from bench.images import SMALL, tail
from bench.load import Address, Exchange, Pause, Send, run
from bench.plan import Plan
from bench.raw import crop
from bench.results import Claim, Figure, Results, percentile
from bench.service import Stage, jobs_of, stage, start_web, start_worker
from cropsvc.imaging.params.parser import parse
from cropsvc.jobs.service import Submission
from cropsvc.store import received
from cropsvc.web.auth import OPEN

REST_SECONDS = 0.03  # between requests, so that the system is idle
MOST_OVERHEAD_MS = 8.0
SHALLOW = 10
BATCH = 5  # submits to one queue before it is the other's turn
MOST_DEPTH_RATIO = 1.5
WARM_UP = 10


def latency(plan: Plan, results: Results) -> None:
    """Upload-to-bytes on an idle system, one render in this process after each request."""
    whole: list[float] = []
    renders: list[float] = []
    with stage() as on:
        start_worker(on)
        address = start_web(on, path="/readyz")
        exchange = _latency_exchange(whole, renders)
        run([address], exchange, clients=1, exchanges=WARM_UP + plan.latency_requests)
    whole, renders = whole[WARM_UP:], renders[WARM_UP:]
    what = "upload-to-bytes, 640x480 -> 300x300, 1 client with rests"
    for percent in (50, 90, 99):
        value = 1000 * percentile(whole, percent)
        results.figures.append(Figure("latency", what, f"p{percent}", (value,), "ms"))
    render_ms = 1000 * median(renders)
    results.figures.append(Figure("latency", "render alone", "p50", (render_ms,), "ms"))
    over = 1000 * median(whole) - render_ms
    what = "idle, 640x480: upload-to-bytes median - render time"
    results.claims.append(
        Claim("latency", what, (over,), MOST_OVERHEAD_MS, at_least=False, unit=" ms")
    )


def _latency_exchange(whole: list[float], renders: list[float]) -> Exchange:
    keep = Keep()

    def exchange(number: int) -> Steps:
        yield Pause(REST_SECONDS)
        started = time.perf_counter()
        answer = yield Send(upload(SMALL, wait=30, extra=tail()))
        whole.append(time.perf_counter() - started)
        keep.take(answer)
        yield Pause(REST_SECONDS)
        started = time.perf_counter()
        crop(SMALL)
        renders.append(time.perf_counter() - started)

    return exchange


def depth(plan: Plan, results: Results) -> None:
    """Submits to a queue of 10 and to one of 10,000, in turns; each is deleted again."""
    times: dict[int, list[float]] = {SHALLOW: [], plan.deep: []}
    per_round: list[float] = []
    with stage() as shallow, stage() as deep:
        addresses = {SHALLOW: _filled(shallow, SHALLOW), plan.deep: _filled(deep, plan.deep)}
        for number in range(plan.depth_batches + 1):
            batch = {at: _submits(address) for at, address in addresses.items()}
            if number:  # the first one warms up
                for at, took in batch.items():
                    times[at] += took
                per_round.append(median(batch[plan.deep]) / median(batch[SHALLOW]))
    for at, took in times.items():
        value = 1000 * median(took)
        note = f"p90 {1000 * percentile(took, 90):.1f} ms, {len(took)} submits over HTTP"
        what = "submit (POST until 202), 640x480"
        results.figures.append(Figure("depth", what, f"{at:,} waiting", (value,), "ms", note))
    what = f"enqueue time at depth {plan.deep:,} / at depth {SHALLOW}"
    results.claims.append(Claim("depth", what, tuple(per_round), MOST_DEPTH_RATIO, at_least=False))


def _filled(on: Stage, count: int) -> Address:
    """A front end over a queue of *count* jobs and no worker."""
    jobs, wanted, picture = jobs_of(on), parse([("size", "8x8")]), _tiny()
    for _ in range(count):
        place = jobs.admit(OPEN)
        jobs.submit(
            place, Submission(jobs.upload(place, received(picture + tail()), wanted), wanted)
        )
    on.settle()
    return start_web(on)


def _tiny() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 12)).save(out, "JPEG")
    return out.getvalue()


def _submits(address: Address) -> list[float]:
    times: list[float] = []

    def exchange(number: int) -> Steps:
        started = time.perf_counter()
        answer = yield Send(upload(SMALL, wait=None, extra=tail()))
        times.append(time.perf_counter() - started)
        answer.expect(202)
        where = next(
            line for line in answer.head.decode().split("\r\n") if line.lower()[:9] == "location:"
        )
        path = "/v1/crops/" + where.rsplit("/", 1)[1]
        (yield Send((request("DELETE", path),))).expect(204)

    run([address], exchange, clients=1, exchanges=BATCH)
    return times
