"""Crops by a server: upload, follow, fetch; on Ctrl-C cancel what runs."""

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from cropsvc.cli.files import OutputFile, Target, read, write
from cropsvc.cli.progress import UPLOAD_SHARE, Board, Line
from cropsvc.client import Client, ClientError, Job, JobFailed, Output

Pairs = Sequence[tuple[str, str]]
WATCHED, UNWATCHED = 1.0, 20.0  # seconds of a long poll: a watched bar moves each time


class Stopped(Exception):
    """The user pressed Ctrl-C."""


@dataclass(frozen=True)
class Remote:
    """One run of the client against one server."""

    client: Client
    target: Target
    board: Board
    stop: threading.Event
    running: set[str] = field(default_factory=set)  # ids of jobs that may have to be canceled

    def crop(self, source: str, index: int, fields: Pairs) -> None:
        """Crop one image. Raises ClientError, Stopped, OSError, BadTarget."""
        line = self.board.line(source)
        job = self._submitted(source, fields, line)
        self.running.add(job.id)
        if self.stop.is_set():
            self.cancel_all()
        try:
            job = self._followed(job, line)
        finally:
            if job.is_terminal:
                self.running.discard(job.id)
        self._fetch_all(job, source, index)
        line.show("done", 1.0)

    def cancel_all(self) -> None:
        """Cancel every job that runs; what the server says to that does not matter any more."""
        for job_id in [*self.running]:
            with contextlib.suppress(ClientError, Stopped):
                self.client.delete(job_id)

    def _submitted(self, source: str, fields: Pairs, line: Line) -> Job:
        line.show("reading", 0.0)
        data = read(source)
        if not data:
            raise ClientError("the file is empty")

        def sent(count: int) -> None:
            if self.stop.is_set():
                raise Stopped
            share = count / len(data)
            line.show(f"uploading {count:,} of {len(data):,} bytes", UPLOAD_SHARE * share)

        return self.client.submit(data, on_bytes=sent, **dict(fields))

    def _followed(self, job: Job, line: Line) -> Job:
        wait = WATCHED if self.board.is_watched else UNWATCHED
        while not job.is_terminal:
            line.show(_status(job), UPLOAD_SHARE + (1 - UPLOAD_SHARE) * job.progress)
            job = self.client.job(job, wait)
        if job.error:
            raise JobFailed(job.error["detail"], code=job.error["code"])
        if job.state == "canceled":
            raise Stopped
        return job

    def _fetch_all(self, job: Job, source: str, index: int) -> None:
        failures = []
        for output in job.outputs:
            if output.error:
                failures.append(f"output {output.name}: {output.error['detail']}")
                continue
            name = None if len(job.outputs) == 1 else output.name
            path = self.target.path(OutputFile(source, index, name, output.format or ""))
            write(path, self.client.image(job, output.name))
            notes = f" ({', '.join(output.notes)})" if output.notes else ""
            self.board.say(f"{path}: {described(output)}{notes}")
        if failures:
            raise ClientError("; ".join(failures))


def described(output: Output) -> str:
    """Return a short description of an output."""
    return f"{output.width}x{output.height} {output.format}, {output.bytes:,} bytes"


def _status(job: Job) -> str:
    if job.state == "queued":
        return f"queued, place {job.position}" if job.position else "queued"
    return job.stage
