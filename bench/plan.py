"""How long and how often everything is measured."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Plan:
    """One form of the benchmark. Times are seconds; `rounds` are interleaved, A B A B ..."""

    name: str
    rounds: int
    side_rounds: int  # of measures that no threshold needs
    drain_seconds: float
    http_seconds: float
    drain_all: bool  # the stock workers on 6 MP, and all pictures
    latency_requests: int
    deep: int  # jobs waiting, against 10
    depth_batches: int  # of 5 submits each
    memory_jobs: tuple[int, int]
    profile_jobs: int  # of one round


FULL = Plan(
    name="full",
    rounds=5,
    side_rounds=3,
    drain_seconds=3.0,
    http_seconds=4.0,
    drain_all=True,
    latency_requests=300,
    deep=10_000,
    depth_batches=60,
    memory_jobs=(500, 5000),
    profile_jobs=400,
)

QUICK = Plan(
    name="quick",
    rounds=1,
    side_rounds=1,
    drain_seconds=2.0,
    http_seconds=2.0,
    drain_all=False,
    latency_requests=60,
    deep=10_000,
    depth_batches=20,
    memory_jobs=(150, 600),
    profile_jobs=200,
)

TINY = Plan(
    name="tiny (only shows that every row runs)",
    rounds=1,
    side_rounds=1,
    drain_seconds=0.5,
    http_seconds=0.5,
    drain_all=True,
    latency_requests=5,
    deep=100,
    depth_batches=2,
    memory_jobs=(20, 40),
    profile_jobs=40,
)

HALF = replace(FULL, name="half", rounds=3, side_rounds=2, http_seconds=3.0)

PLANS = {"full": FULL, "half": HALF, "quick": QUICK, "tiny": TINY}
