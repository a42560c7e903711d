"""What the service answers, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TERMINAL = ("done", "failed", "canceled")


@dataclass(frozen=True)
class Output:
    """One crop of a job; sizes in pixels, region as (x, y, width, height)."""

    name: str
    state: str
    width: int | None
    height: int | None
    format: str | None
    bytes: int | None
    sha256: str | None
    region: tuple[int, int, int, int] | None
    notes: tuple[str, ...]
    error: Mapping[str, str] | None
    url: str
    quality: int | None = None
    decision: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Job:
    """A job as the service shows it; `raw` is the whole JSON."""

    id: str
    state: str  # queued, running, done, failed, canceled
    progress: float  # 0 to 1
    stage: str
    position: int | None  # in the queue
    outputs: tuple[Output, ...]
    error: Mapping[str, str] | None
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended."""
        return self.state in TERMINAL

    def output(self, name: str | None = None) -> Output:
        """Return the named output, or the first one. Raises KeyError."""
        for one in self.outputs:
            if name in (None, one.name):
                return one
        raise KeyError(name)


def job_of(raw: Mapping[str, Any]) -> Job:
    """Return the job of a JSON answer. Raises KeyError or TypeError for another one."""
    return Job(
        raw["id"],
        raw["state"],
        float(raw["progress"]),
        raw["stage"],
        raw["position"],
        tuple(map(_output, raw["outputs"])),
        raw["error"],
        raw,
    )


def _output(raw: Mapping[str, Any]) -> Output:
    known: dict[str, Any] = {name: raw.get(name) for name in Output.__dataclass_fields__}
    region = raw["region"]
    known |= {"region": tuple(region) if region else None, "notes": tuple(raw["notes"])}
    return Output(**known)
