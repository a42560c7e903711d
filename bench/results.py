"""What a row gives: figures, and claims that hold or do not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median


class BenchError(Exception):
    """A row cannot be measured; says why, with what the processes said."""


@dataclass(frozen=True)
class Figure:
    """One measured thing: the median of its rounds, and their extremes."""

    row: str
    what: str
    side: str
    values: tuple[float, ...]
    unit: str
    note: str = ""

    @property
    def value(self) -> float:
        """The rounds' median."""
        return median(self.values)


@dataclass(frozen=True)
class Claim:
    """A threshold, what was measured for it, and in how many rounds."""

    row: str
    what: str
    values: tuple[float, ...]
    bound: float
    at_least: bool = True
    unit: str = "x"

    @property
    def value(self) -> float:
        """The rounds' median."""
        return median(self.values)

    @property
    def is_met(self) -> bool:
        """Whether the median keeps the bound."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound


@dataclass
class Results:
    """All that a run measured."""

    figures: list[Figure] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, ...]:
    """Round by round, so that what slows a whole round down cancels out."""
    return tuple(a / b for a, b in zip(ours, theirs, strict=True))


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
