"""One campaign: a stack, a crowd, havoc; at the end each promise is compared with the truth."""

import hashlib
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import redis

from tests.chaos.crowd import TERMINAL, Crowd
from tests.chaos.havoc import Havoc, Plan
from tests.chaos.ledger import Ledger, Promise, reference
from tests.chaos.objects import ObjectCount, await_end, counted
from tests.stack import Stack, running

SETTLE = 90.0  # seconds in which everything must have ended once it is quiet again


@dataclass(frozen=True)
class Form:
    """How large a campaign is."""

    plan: Plan
    clients: int
    jobs: int  # at least so many promises
    lifetime: int = 3600  # seconds that results and uploads live; with objects their end is awaited


FULL = Form(Plan(60, 6, (10.0, 3.0), 3, 1.6), clients=8, jobs=1000, lifetime=480)
SHORT = Form(Plan(9, 1, (2.0,), 1, 1.0), clients=5, jobs=60, lifetime=120)


@dataclass
class Report:
    """What was promised, what was done to the stack, and what came of it."""

    seed: int
    jobs: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)  # promised, and not there or not ended
    wrong: list[str] = field(default_factory=list)  # ended otherwise than it should
    twice: int = 0  # begun more than once
    slowest: float = 0.0  # seconds from the first start to the end, of those
    settled: float = 0.0  # seconds until all had ended, once the clients had stopped
    statuses: dict[int, int] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)
    vanished: int = 0
    seconds: float = 0.0
    objects: ObjectCount | None = None  # of a campaign with an object store

    @property
    def is_broken(self) -> bool:
        """Whether a promise was broken."""
        left = self.objects and (self.objects.left or self.objects.nowhere)
        return bool(self.lost or self.wrong or self.strange or left)

    def text(self) -> str:
        """The report for people."""
        lines = [
            f"jobs acknowledged   {self.jobs}  ({_listed(self.ends)})",
            f"SIGKILLs            {_listed(self.kills)}",
            f"clients vanished    {self.vanished}",
            f"answers             {_listed(Counter(self.statuses))}",
            f"lost                {len(self.lost)} {self.lost[:5] or ''}",
            f"wrong               {len(self.wrong)} {self.wrong[:5] or ''}",
            f"other 5xx           {len(self.strange)} {self.strange[:3] or ''}",
            f"begun twice or more {self.twice}",
            f"slowest recovery    {self.slowest:.1f} s from first start to end, outages included",
            f"all ended           {self.settled:.1f} s after the clients had stopped",
            *([self.objects.text()] if self.objects else []),
            f"took                {self.seconds:.0f} s, seed {self.seed}",
        ]
        return "\n".join(lines)


def campaign(
    form: Form, seed: int, directory: Path | None = None, *, objects: bool = False
) -> Report:
    """Runs one; *directory* keeps the logs and the ledger.

    With *objects* images lie in a directory, one of eight is larger than the front end holds, and
    the campaign ends when all jobs have expired.
    """
    directory = directory or Path(tempfile.mkdtemp(prefix="cropsvc-chaos-"))
    began, report, rand = time.monotonic(), Report(seed), random.Random(seed)
    ledger = Ledger(directory / "promises")
    kept, settings = directory / "objects", dict[str, object]()
    if objects:
        settings = {"blobs": f"file://{kept}"}
        settings |= {"result_ttl": form.lifetime, "source_ttl": form.lifetime}
    with running(directory / "stack", workers=2, web_workers=1, **settings) as stack:
        crowd = Crowd(stack.url, ledger, clients=form.clients, seed=seed, large=objects)
        havoc = Havoc(stack, rand)
        crowd.start()
        try:
            havoc.run(form.plan)
            _until(lambda: crowd.tally.accepted >= form.jobs, SETTLE)
        finally:
            crowd.stop()
        report.kills = havoc.counts
        _compare(stack, crowd, ledger.promises(), report)
        if objects:
            report.objects = counted(stack.redis(), kept)
            await_end(stack.redis(), kept, report.objects, form.lifetime)
    report.seconds = time.monotonic() - began
    return report


def _compare(stack: Stack, crowd: Crowd, promises: list[Promise], report: Report) -> None:
    tally, quiet = crowd.tally, time.time()
    report.statuses, report.strange = tally.statuses, tally.strange
    report.jobs, report.vanished = len(promises), tally.vanished
    store = stack.redis()
    with httpx.Client(base_url=stack.url, timeout=30) as client:
        deadline = time.monotonic() + SETTLE
        jobs = {one.id: _ended(client, one, deadline) for one in promises}
        for promise in promises:
            job = jobs[promise.id]
            if job is None:
                report.lost.append(promise.id)
                continue
            report.ends[job["state"]] += 1
            fault = _fault(client, promise, job, crowd.album)
            if fault:
                report.wrong.append(f"{promise.id}: {fault}")
            _count_runs(store, promise, report, quiet)


def _ended(client: httpx.Client, promise: Promise, deadline: float) -> dict | None:
    while True:
        response = client.get(f"/v1/crops/{promise.id}", params={"wait": 5})
        if response.status_code == 200 and response.json()["state"] in TERMINAL:
            return response.json()
        if time.monotonic() > deadline or response.status_code in (404, 410):
            return None


def _fault(client: httpx.Client, promise: Promise, job: dict, album: list[bytes]) -> str:
    """What is wrong with how the job ended; nothing, as it should be."""
    if promise.broken:
        ended = (job["state"], (job["error"] or {}).get("code"))
        return "" if ended == ("failed", "unreadable") else f"a broken picture ended {ended}"
    if job["state"] != "done":
        return f"ended {job['state']}: {job['error']}"
    expected = hashlib.sha256(reference(album[promise.picture], promise.box)).hexdigest()
    for _ in range(2):
        data = client.get(f"/v1/crops/{promise.id}/image").content
        if hashlib.sha256(data).hexdigest() != expected or job["outputs"][0]["sha256"] != expected:
            return "other bytes than the reference's"
    return ""


def _count_runs(store: redis.Redis, promise: Promise, report: Report, quiet: float) -> None:
    fields = store.hmget(f"cropsvc:job:-:{promise.id}", "runs", "started", "ended")
    runs, started, ended = (int(value or 0) for value in fields)
    report.settled = max(report.settled, ended / 1000 - quiet)
    if runs > 1:
        report.twice += 1
        report.slowest = max(report.slowest, (ended - started) / 1000)


def _until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)


def _listed(counts: Counter) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=str)) or "none"
