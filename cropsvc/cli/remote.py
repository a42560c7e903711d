"""Crops by a server: upload, follow, fetch; on Ctrl-C cancel what runs."""

import contextlib
import hashlib
import threading
from dataclasses import dataclass, field

from cropsvc.cli.client import (
    Job,
    Pairs,
    Server,
    ServerError,
    Stopped,
)
from cropsvc.cli.files import OutputFile, Target, read, write
from cropsvc.cli.progress import UPLOAD_SHARE, Board, Line

WATCHED, UNWATCHED = 1.0, 20.0  # seconds of a long poll: a watched bar moves each time
TERMINAL = ("done", "failed", "canceled")


@dataclass(frozen=True)
class Remote:
    """One run of the client against one server."""

    server: Server
    target: Target
    board: Board
    stop: threading.Event
    running: set[str] = field(default_factory=set)  # ids of jobs that may have to be canceled

    def crop(self, source: str, index: int, fields: Pairs) -> None:
        """Crops one image. Raises Refused, Stopped, OSError, BadTarget."""
        line = self.board.line(source)
        job = self._submitted(source, fields, line)
        self.running.add(job["id"])
        if self.stop.is_set():
            self.cancel_all()
        try:
            job = self._followed(job, line)
        finally:
            if job["state"] in TERMINAL:
                self.running.discard(job["id"])
        self._fetch_all(job, source, index)
        line.show("done", 1.0)

    def cancel_all(self) -> None:
        """Cancel every job that runs; what the server says to that does not matter any more."""
        for job_id in [*self.running]:
            with contextlib.suppress(ServerError):
                self.server.cancel(job_id)

    def _submitted(self, source: str, fields: Pairs, line: Line) -> Job:
        line.show("reading", 0.0)
        data = read(source)
        if not data:
            raise ServerError("the file is empty")

        def sent(count: int) -> None:
            share = count / len(data)
            line.show(f"uploading {count:,} of {len(data):,} bytes", UPLOAD_SHARE * share)

        return self.server.submit("image", data, fields, sent)

    def _followed(self, job: Job, line: Line) -> Job:
        wait = WATCHED if self.board.is_watched else UNWATCHED
        while job["state"] not in TERMINAL:
            line.show(_words(job), UPLOAD_SHARE + (1 - UPLOAD_SHARE) * job["progress"])
            job = self.server.look(job["id"], wait)
        if job["state"] == "failed":
            raise ServerError(f"{job['error']['detail']} ({job['error']['code']})")
        if job["state"] == "canceled":
            raise Stopped
        return job

    def _fetch_all(self, job: Job, source: str, index: int) -> None:
        outputs = job["outputs"]
        failures = []
        for output in outputs:
            if output["error"]:
                failures.append(f"output {output['name']}: {output['error']['detail']}")
                continue
            only = len(outputs) == 1
            name = None if only else output["name"]
            path = self.target.path(OutputFile(source, index, name, output["format"]))
            write(path, self._fetched(job["id"], output))
            notes = f" ({', '.join(output['notes'])})" if output["notes"] else ""
            self.board.say(f"{path}: {described(output)}{notes}")
        if failures:
            raise ServerError("; ".join(failures))

    def _fetched(self, job_id: str, output: Job) -> bytes:
        data = self.server.fetch(job_id, output["name"])
        if hashlib.sha256(data).hexdigest() != output["sha256"]:
            raise ServerError("the image came damaged: its SHA-256 is not the one announced")
        return data


def described(output: Job) -> str:
    """Return a short description of an output."""
    size = f"{output['width']}x{output['height']}"
    return f"{size} {output['format']}, {output['bytes']:,} bytes"


def _words(job: Job) -> str:
    if job["state"] == "queued":
        place = job["position"]
        return f"queued, place {place}" if place else "queued"
    return str(job["stage"])
