"""Records and bytes in Redis: the only package that knows a key of ours.

Where a step must be one, it is a script of scripts.py.
"""

from cropsvc.store.lifecycle import MOST_RUNS, Running
from cropsvc.store.model import (
    ClaimedJob,
    IdempotencyClaim,
    JobResult,
    Lifetimes,
    QueueFull,
    QueueSlot,
    UnfinishedJobs,
    fingerprint,
)
from cropsvc.store.recovery import Recovery
from cropsvc.store.stats import Stats
from cropsvc.store.submit import RESERVATION_SECONDS, Submitting

__all__ = [
    "MOST_RUNS",
    "RESERVATION_SECONDS",
    "ClaimedJob",
    "IdempotencyClaim",
    "JobResult",
    "Lifetimes",
    "QueueFull",
    "QueueSlot",
    "Store",
    "UnfinishedJobs",
    "fingerprint",
]


class Store(Submitting, Running, Recovery, Stats):
    """The records and bytes of all jobs, in *client*'s database."""
