"""Crops for other Celery programs: image bytes in a message, the crop's bytes as the result.

Such a task becomes a stored job under a separate owner, with the limits, attempts and isolation of
every job. The job's id is derived from the task's, so a redelivered message continues the same job.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cropsvc.cropping.runner import JobRunner, Reporter
from cropsvc.imaging.geometry.validate import check
from cropsvc.imaging.headers.probe import probe
from cropsvc.imaging.params.parser import CropRequest, parse
from cropsvc.imaging.params.presets import BUILT_IN, Presets
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
    Problem,
    new_job,
    source_info,
)
from cropsvc.model.limits import Limits
from cropsvc.store import Store

FOREIGN = "+celery"  # no API key can have this name


class TaskRejected(Exception):
    """The error that the program gets: an error code and a detail.

    It is a plain pair, so that a program without this package can read it.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)

    @classmethod
    def of(cls, error: CropError | Problem) -> "TaskRejected":
        """Return the rejection for *error*."""
        return cls(error.code, error.detail)


class AlreadyAnswered(Exception):
    """The task was delivered again after its program had received the result."""


@dataclass(frozen=True)
class ExternalCrops:
    """Runs external tasks in this worker's crop process."""

    runner: JobRunner
    limits: Limits
    max_upload: int
    presets: Presets = BUILT_IN

    @property
    def store(self) -> Store:
        """Where the jobs are."""
        return self.runner.store

    def crop(
        self, task: str, arguments: list[object], reporter_of: Callable[[JobRef], Reporter]
    ) -> bytes:
        """Return the image's bytes for the task with id *task*.

        Raises TaskRejected, AlreadyAnswered, and StoreUnavailable; then a second call continues.
        """
        try:
            data, request = self._read(arguments)
            job = replace(self._job(_ref(task, data, request), data, request), trace=task)
        except CropError as error:
            raise TaskRejected.of(error) from None
        if self.store.load(job.ref) is None:
            self.store.submit(job, data, None, None)
        self.runner.start(job.ref, job.ref.id)
        self.runner.finish(job.ref, job.ref.id, reporter_of(job.ref))
        return self._result(job.ref)

    def forget(self, task: str, arguments: list[object]) -> None:
        """Delete the job of a task whose program has received the result."""
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
            raise AlreadyAnswered
        if job.error:
            raise TaskRejected.of(job.error)
        if data is None:
            raise TaskRejected("canceled", "the task was canceled")
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
            raise TooLarge(f"the image has {len(data)} bytes; the limit is {self.max_upload}")
        return data, _request(parameters, self.presets)

    def _job(self, ref: JobRef, data: bytes, request: CropRequest) -> Job:
        source = probe(data, self.limits)
        check(request, source, self.limits)
        info = source_info(data, source.format, source.width, source.height)
        names = [crop.name for crop in request.outputs]
        return new_job(ref, self.store.now(), info, request.to_json(), names)


def _request(parameters: object, presets: Presets) -> CropRequest:
    if not isinstance(parameters, Mapping) or not all(isinstance(name, str) for name in parameters):
        raise BadRequest("the parameters must be a mapping of names to values")
    request = parse(parameters.items(), presets=presets)
    if len(request.outputs) != 1:
        raise BadParameter.of(
            FieldError("outputs", "a task makes one image; send one task for each")
        )
    return request


def _ref(task: str, data: bytes, request: CropRequest) -> JobRef:
    """Return the same job for each delivery of a task, and a different one for every other task."""
    whole = hashlib.sha256(task.encode() + b"\0" + request.to_json().encode() + b"\0" + data)
    return JobRef(FOREIGN, base64.b32encode(whole.digest()[:30]).decode().lower())
