"""Crops for Celery programs that are not ours: bytes in a message, the image's bytes as result.

Such a task becomes a job of the store under an owner of its own, so that limits, attempts and
isolation are those of every job. Its id comes from the task's: a message that RabbitMQ delivers
again goes on with the same job.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from redis.client import Pipeline

from cropsvc.cropping.runner import JobRunner, Reporter
from cropsvc.imaging.geometry.validate import check
from cropsvc.imaging.headers.probe import probe
from cropsvc.imaging.params.parser import CropRequest, parse
from cropsvc.model.errors import (
    BadParameter,
    BadRequest,
    CropError,
    FieldError,
    TooLarge,
)
from cropsvc.model.job import (
    Job,
    JobRef,
    Output,
    Problem,
    SourceInfo,
)
from cropsvc.model.limits import Limits
from cropsvc.store import Store

FOREIGN = "+celery"  # no API key can have this name


class TaskRejected(Exception):
    """What the program is told: a code of the contract, and words. A plain pair, so that a
    program without our classes gets it whole."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)

    @classmethod
    def of(cls, error: CropError | Problem) -> "TaskRejected":
        """The same as *error*."""
        return cls(error.code, error.detail)


class AlreadyTold(Exception):
    """The task was delivered again after its program had been told how it went."""


@dataclass(frozen=True)
class ExternalCrops:
    """Does foreign tasks with this worker's crop process."""

    runner: JobRunner
    limits: Limits
    max_upload: int

    @property
    def store(self) -> Store:
        """Where the jobs are."""
        return self.runner.store

    def crop(
        self, task: str, arguments: list[object], reporter_of: Callable[[JobRef], Reporter]
    ) -> bytes:
        """The image's bytes for the task with id *task*.

        Raises TaskRefused, AlreadyTold, and RedisError: tried again it goes on.
        """
        try:
            data, request = self._read(arguments)
            job = replace(self._job(_ref(task, data, request), data, request), trace=task)
        except CropError as error:
            raise TaskRejected.of(error) from None
        if self.store.load(job.ref) is None:
            self.store.submit(job, data, None, enqueue=_begin)
        self.runner.start(job.ref, job.ref.id)
        self.runner.finish(job.ref, job.ref.id, reporter_of(job.ref))
        return self._result(job.ref)

    def forget(self, task: str, arguments: list[object]) -> None:
        """Removes the job of a task whose program has been told."""
        try:
            ref = _ref(task, *self._read(arguments))
        except CropError:
            return
        job = self.store.load(ref)
        if isinstance(job, Job):
            self.store.remove(job)

    def _result(self, ref: JobRef) -> bytes:
        job, data = self.store.load_with_bytes(ref, 0)
        if not isinstance(job, Job):
            raise AlreadyTold
        if job.error:
            raise TaskRejected.of(job.error)
        if data is None:
            raise TaskRejected("canceled", "the task was given up")
        return data

    def _read(self, arguments: list[object]) -> tuple[bytes, CropRequest]:
        match arguments:
            case [bytes(data)]:
                parameters: object = {}
            case [bytes(data), parameters]:
                pass
            case _:
                raise BadRequest("the arguments must be the image's bytes and the parameters")
        if len(data) > self.max_upload:
            words = f"the image has {len(data)} bytes, of {self.max_upload} that are allowed"
            raise TooLarge(words)
        return data, _request(parameters)

    def _job(self, ref: JobRef, data: bytes, request: CropRequest) -> Job:
        source = probe(data, self.limits)
        check(request, source, self.limits)
        digest = hashlib.sha256(data).hexdigest()
        return Job(
            ref=ref,
            state="queued",
            progress=0.0,
            stage="queued",
            created=self.store.now(),
            source=SourceInfo(source.format, source.width, source.height, len(data), digest),
            request=request.to_json(),
            outputs=tuple(Output(crop.name, "queued") for crop in request.outputs),
            results_from=ref.id,
            upload_from=ref.id,
        )


def _request(parameters: object) -> CropRequest:
    if not isinstance(parameters, Mapping) or not all(isinstance(name, str) for name in parameters):
        raise BadRequest("the parameters must be a mapping of names to values")
    request = parse(parameters.items())
    if len(request.outputs) != 1:
        raise BadParameter.of(FieldError("outputs", "a task makes one image; send one for each"))
    return request


def _ref(task: str, data: bytes, request: CropRequest) -> JobRef:
    """The same for each delivery of one task, and for no other task."""
    whole = hashlib.sha256(task.encode() + b"\0" + request.to_json().encode() + b"\0" + data)
    return JobRef(FOREIGN, base64.b32encode(whole.digest()[:30]).decode().lower())


def _begin(pipe: Pipeline) -> None:
    pipe.multi()
