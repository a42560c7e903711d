"""A running dashboard beside a stack, and the jobs that its tests look at."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

from tests import pictures
from tests.processes import crop_processes
from tests.stack import ROOT, Part, Stack, free_port, until

USER, PASSWORD = "adm\u00edn", "pass w\u00f6rd"
AUTH = httpx.BasicAuth(USER.encode(), PASSWORD.encode())
OPEN = {"CROPSVC_DASHBOARD_USER": "", "CROPSVC_DASHBOARD_PASSWORD": ""}
LOCKED = {"CROPSVC_DASHBOARD_USER": USER, "CROPSVC_DASHBOARD_PASSWORD": PASSWORD}


class Dashboard:
    """`python -m cropsvc.dashboard` on a free port."""

    def __init__(self, directory: Path, redis_url: str, **environ: str) -> None:
        self.port = free_port()
        self.part = Part(
            "dashboard",
            [sys.executable, "-m", "cropsvc.dashboard"],
            environ={
                "PATH": os.environ["PATH"],
                "LANG": "C.UTF-8",
                "CROPSVC_REDIS_URL": redis_url,
                "DASHBOARD_PORT": str(self.port),
                **environ,
            },
            log=directory / "dashboard.log",
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Dashboard":
        self.part.start()
        until(self._answers, seconds=20, what=f"the dashboard answers\n{self.part.tail()}")
        return self

    def stop(self) -> int | None:
        self.part.signal(signal.SIGTERM)
        code = self.part.join(10)
        if code is None:
            self.part.signal(signal.SIGKILL)
            self.part.join(5)
        return code

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, auth=AUTH, timeout=20, follow_redirects=True)

    def _answers(self) -> bool:
        if not self.part.running:
            raise AssertionError(f"the dashboard ended by itself\n{self.part.tail()}")
        try:
            return httpx.get(self.url, timeout=5).status_code in (200, 401, 503)
        except httpx.TransportError:
            return False


@contextmanager
def beside(stack: Stack, directory: Path, **environ: str) -> Iterator["Desk"]:
    """The desk of a dashboard on *stack*."""
    dashboard = Dashboard(directory, stack.redis_url, **{**LOCKED, **environ}).start()
    try:
        yield Desk(stack, dashboard)
    finally:
        dashboard.stop()


class Desk:
    """A stack with one worker and its dashboard."""

    def __init__(self, stack: Stack, dashboard: Dashboard) -> None:
        self.stack, self.dashboard = stack, dashboard
        self.http = dashboard.client()
        self.api = httpx.Client(base_url=stack.url, timeout=40)
        self.redis = stack.redis()
        self._made = 0

    def number(self, base: int = 0) -> int:
        """Another one each time, from *base* on."""
        self._made += 1
        return base + self._made

    def submit(self, data: bytes | None = None, **query: str) -> str:
        """A new job's id; its picture is like no other, so that no result is reused."""
        body = data or pictures.jpeg(64, 48, seed=self.number())
        answer = self.api.post(
            "/v1/crops", params=query, content=body, headers={"Content-Type": "image/jpeg"}
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str, **query: object) -> dict:
        """The job as its client sees it."""
        return self.api.get(f"/v1/crops/{job_id}", params=query).json()

    def shown(self, job_id: str) -> dict:
        """The job as the dashboard's page gets it."""
        answer = self.http.get(f"/0/data/job/{job_id}.json")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ids(self, registry: str) -> list[str]:
        """The jobs that the dashboard lists in a state."""
        answer = self.http.get(f"/0/data/jobs/cropsvc/{registry}/200/asc/1.json")
        assert answer.status_code == 200, answer.text
        return [job["id"] for job in answer.json()["jobs"]]

    def done(self) -> str:
        job_id = self.submit()
        assert self.job(job_id, wait=20)["state"] == "done"
        self.wait_listed(job_id, "finished")
        return job_id

    def failed(self) -> str:
        """A job whose picture turns out broken."""
        whole = pictures.jpeg(640, 480, seed=self.number())
        job_id = self.submit(pictures.truncated(whole))
        assert self.job(job_id, wait=20)["state"] == "failed"
        self.wait_listed(job_id, "failed")
        return job_id

    def wait_listed(self, job_id: str, registry: str) -> None:
        until(lambda: job_id in self.ids(registry), seconds=10, what=f"{job_id} is {registry}")

    def wait_state(self, job_id: str, state: str) -> None:
        until(lambda: self.job(job_id)["state"] == state, seconds=15, what=f"{job_id} {state}")

    def held(self) -> "Held":
        """Within it a job can be held while it runs."""
        return Held(self)


class Held:
    """Stops the crop process in the middle of a job, so that the job runs until it is let go."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._stopped: list[psutil.Process] = []

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._stopped:
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def running(self) -> str:
        """A job that runs; nothing else gets its turn."""
        data = pictures.bomb(self._desk.number(6000))
        job_id = self._desk.submit(data, format="avif", quality="95")
        self._desk.wait_state(job_id, "running")
        self.stall()
        assert self._desk.job(job_id)["state"] == "running"
        self._desk.wait_listed(job_id, "started")
        return job_id

    def stall(self) -> None:
        """Stops the crop process where it is."""
        found = until(self._crop_processes, seconds=10, what="there is a crop process")
        assert isinstance(found, list)
        self._stopped = found
        for process in self._stopped:
            process.suspend()

    def _crop_processes(self) -> list[psutil.Process]:
        return crop_processes(self._desk.stack.worker.tree())


def run_dashboard(**environ: str) -> subprocess.CompletedProcess[str]:
    """A dashboard that is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "cropsvc.dashboard"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
