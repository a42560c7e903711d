"""A hundred mixed jobs through two front ends and two workers: exact figures, exact log lines."""

import json
import os
import re
import signal
from collections import Counter
from dataclasses import dataclass, field

import httpx
import pytest
from PIL import Image

from tests import pictures
from tests.contract.client import Client, Json
from tests.stack import Stack, until
from tests.web.test_metrics import figures

GOOD, SEVERAL, CLASSIC, REPEATED, BROKEN, CANCELED = 50, 8, 8, 12, 8, 6
REFUSED = 6
NAME = "Familie M\u00fcller\n\x1b[31m\u2028 am Strand.jpg"
EXIF = "taken by Erika Mustermann"
ENDPOINTS = {
    r"POST /v1/crops": "api.submit",
    r"GET /v1/crops/[^/]+": "api.show",
    r"DELETE /v1/crops/[^/]+": "api.delete",
    r"GET /v1/crops/[^/]+/image/\w+": "api.image",
    r"GET /image_page": "classic.image_page",
    r"GET /progress": "classic.progress",
    r"GET /result.png": "classic.result",
    r"GET /[a-z]+%.*": "none",
}
MACHINES = ("/healthz", "/readyz", "/metrics")


@dataclass
class Ledger:
    """What the client saw: each answer by its request id, and the job that each request made."""

    answers: dict[str, httpx.Response] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)  # job id: request id

    def note(self, response: httpx.Response) -> None:
        if response.request.url.path in MACHINES:
            return
        response.read()
        request_id = response.headers["X-Request-Id"]
        assert request_id not in self.answers
        self.answers[request_id] = response
        if response.status_code == 202:
            self.jobs[response.json()["id"]] = request_id
        elif response.request.url.path == "/image_page":
            [job_id] = set(re.findall(r"jobid=([\w-]+)", response.text))
            self.jobs[job_id] = request_id

    def requests(self) -> Counter[tuple[str, int]]:
        """How many answers of each endpoint and status."""
        return Counter((_endpoint(r.request), r.status_code) for r in self.answers.values())

    def bytes_in(self) -> int:
        taken = (r.request for r in self.answers.values() if r.status_code < 400)
        return sum(int(r.headers["Content-Length"]) for r in taken if r.method == "POST")

    def bytes_out(self) -> int:
        pictures = (r for r in self.answers.values() if _is_image(r))
        return sum(len(r.content) for r in pictures)


def _is_image(response: httpx.Response) -> bool:
    return response.headers.get("Content-Type", "").startswith("image/")


def _endpoint(request: httpx.Request) -> str:
    asked = f"{request.method} {request.url.raw_path.decode().partition('?')[0]}"
    return next(name for form, name in ENDPOINTS.items() if re.fullmatch(form, asked))


@pytest.fixture(scope="module", name="stack")
def _stack(make_module_stack) -> Stack:
    return make_module_stack(web_workers=2, workers=2, job_timeout=4, log_format="json")


@pytest.fixture(scope="module", name="ledger")
def _ledger(stack: Stack) -> Ledger:
    """A hundred jobs, done and written down."""
    ledger = Ledger()
    hooks = {"response": [ledger.note]}
    with Client(stack.url, headers={"Connection": "close"}, event_hooks=hooks) as api:
        _succeed(api)
        _fail(api)
        _refuse(api)
        _stall(api, stack)
    return ledger


def _succeed(api: Client) -> None:
    jobs = [api.accept(api.upload(_photo(n), name=NAME)) for n in range(GOOD)]
    outputs = json.dumps([{"size": "9x9"}, {"rotate": 90, "format": "webp"}, {"box": "0,0,5,5"}])
    several = [api.accepted(pictures.unlike(n), outputs=outputs) for n in range(SEVERAL)]
    for job in (*jobs, *several):
        assert api.ended(job)["state"] == "done"
    for output in several[0]["outputs"]:
        assert api.get(output["url"]).status_code == 200
    for n in range(REPEATED):
        assert api.accept(api.upload(_photo(n), name=NAME))["cached"]
    for _ in range(CLASSIC):
        _classic(api)


def _classic(api: Client) -> None:
    page = api.get("/image_page").text
    [job_id] = set(re.findall(r"jobid=([\w-]+)", page))

    def done() -> bool:
        return bool(api.get("/progress", params={"jobid": job_id}).json()["progress"] == 1.0)

    until(done, seconds=20, what="the classic crop is done")
    assert api.get("/result.png", params={"jobid": job_id}).status_code == 200


def _fail(api: Client) -> None:
    for n in range(BROKEN):
        job = api.accepted(pictures.truncated(_photo(1000 + n), 0.7))
        assert api.ended(job)["error"]["code"] == "unreadable"


def _refuse(api: Client) -> None:
    statuses = [api.submit(b"no picture").status_code for _ in range(3)]
    statuses += [api.submit(_photo(0), box=f"\x1b[31m\n{n}").status_code for n in range(2)]
    statuses += [api.submit(_photo(0), box="9000,0,9,9").status_code]
    assert statuses == [415] * 3 + [400] * 2 + [422]
    assert api.get("/x%0aevil%1b%5b31m%e2%80%a8").status_code == 404


def _stall(api: Client, stack: Stack) -> None:
    """Both crop processes hang: one job is overdue, one canceled while it runs, six before."""
    for process in stack.worker.tree():
        if "cropsvc.cropping.sandbox" in " ".join(process.cmdline()):
            os.kill(process.pid, signal.SIGSTOP)
    running = [api.accepted(pictures.unlike(100 + n)) for n in range(2)]
    for job in running:
        _until_taken(stack, job)
    waiting = [api.accepted(pictures.unlike(200 + n)) for n in range(CANCELED)]
    for job in (*waiting, running[0]):
        assert api.delete(f"/v1/crops/{job['id']}").status_code == 204
    assert api.ended(running[1])["error"]["code"] == "timed-out"


def _until_taken(stack: Stack, job: Json) -> None:
    key = f"rq:job:{job['id']}"
    with stack.redis() as redis:
        until(lambda: redis.hget(key, "status") == b"started", seconds=5, what="a worker has it")


def _photo(number: int) -> bytes:
    """A JPEG of its own for each *number*, with an EXIF string that nobody else should read."""
    exif = Image.Exif()
    exif[0x013B] = f"{EXIF}\x1b[31m"  # Artist
    return pictures.encode(pictures.photo(64, 48, seed=number), "jpeg", exif=exif)


def _lines(stack: Stack) -> list[Json]:
    text = stack.web.log.read_text() + stack.worker.log.read_text()
    return [json.loads(line) for line in text.splitlines()]


def _told(stack: Stack, event: str) -> list[Json]:
    return [line for line in _lines(stack) if line["event"] == event]


def _family(told: dict[str, float], name: str) -> dict[tuple[str, ...], float]:
    """The samples of a counter, without zeros, by the values of their labels."""
    return {
        tuple(re.findall(r'="([^"]*)"', sample)): value
        for sample, value in told.items()
        if value and re.match(rf"cropsvc_{name}(_total)?\b", sample)
    }


def test_a_hundred_jobs_were_asked_for(ledger: Ledger) -> None:
    submits = Counter(r.status_code for r in ledger.answers.values() if _makes_a_job(r.request))
    assert sum(submits.values()) == 100
    assert len(ledger.jobs) == 100 - REFUSED


def _makes_a_job(request: httpx.Request) -> bool:
    return _endpoint(request) in ("api.submit", "classic.image_page")


def test_the_figures_are_exact(ledger: Ledger, stack: Stack) -> None:
    with Client(stack.url, headers={"Connection": "close"}) as api:

        def complete() -> dict[str, float] | None:
            """Each process adds its counts within a second."""
            now = figures(api)
            return now if _requests(now) == dict(ledger.requests()) else None

        told = until(complete, seconds=5, what=f"the requests are {ledger.requests()}")
    done, cached = GOOD + SEVERAL + 1, REPEATED + CLASSIC - 1
    assert _family(told, "jobs") == {
        ("done", ""): done,
        ("done", "cached"): cached,
        ("failed", "unreadable"): BROKEN,
        ("failed", "timed-out"): 1,
        ("canceled", ""): CANCELED + 1,
    }
    assert sum(_family(told, "jobs").values()) == len(ledger.jobs)
    assert _family(told, "problems") == {
        ("unsupported-format",): 3,
        ("bad-parameter",): 2,
        ("box-outside",): 1,
        ("not-found",): 1,
    }
    assert _family(told, "crop_process_deaths") == {("overdue",): 1}
    assert _family(told, "bytes") == {("in",): ledger.bytes_in(), ("out",): ledger.bytes_out()}
    begun = done + BROKEN  # the stopped crop processes never began theirs
    assert told["cropsvc_job_run_seconds_count"] == begun
    assert told["cropsvc_job_wait_seconds_count"] == begun
    assert (told["cropsvc_workers"], told["cropsvc_queue_depth"]) == (2, 0)


def _requests(told: dict[str, float]) -> dict[tuple[str, int], float]:
    found = _family(told, "requests")
    return {
        (endpoint, int(status)): value
        for (endpoint, status), value in found.items()
        if not endpoint.startswith(("ops.", "metrics."))
    }


def test_each_request_has_one_line_with_the_id_of_its_answer(ledger: Ledger, stack: Stack) -> None:
    lines = _told(stack, "request")
    assert Counter(line["request"] for line in lines) == Counter(list(ledger.answers))
    for line in lines:
        answer = ledger.answers[line["request"]]
        assert (line["method"], line["status"]) == (answer.request.method, answer.status_code)


def test_each_job_has_one_line_with_the_id_of_the_request_that_made_it(
    ledger: Ledger, stack: Stack
) -> None:
    def all_told() -> bool:
        return len(_told(stack, "job")) >= len(ledger.jobs)

    until(all_told, seconds=5, what="each job has its line")
    lines = _told(stack, "job")
    assert {line["job"]: line["request"] for line in lines} == ledger.jobs
    assert len(lines) == len(ledger.jobs)
    assert Counter((line["state"], line["code"]) for line in lines) == {
        ("done", None): GOOD + SEVERAL + 1,
        ("done", "cached"): REPEATED + CLASSIC - 1,
        ("failed", "unreadable"): BROKEN,
        ("failed", "timed-out"): 1,
        ("canceled", None): CANCELED + 1,
    }


def test_no_line_holds_what_belongs_to_somebody_or_to_a_terminal(
    ledger: Ledger, stack: Stack
) -> None:
    assert ledger.jobs
    raw = stack.web.log.read_bytes() + stack.worker.log.read_bytes()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", raw)
    values = "\n".join(str(value) for line in _lines(stack) for value in line.values())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", values)
    for secret in ("Familie", "Strand", EXIF, "Mustermann"):
        assert secret not in values
