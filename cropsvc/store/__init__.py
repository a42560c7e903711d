"""Records and bytes in Redis: the only package that knows a key of ours.

Where a step must be one, it is a script of scripts.py.
"""

from cropsvc.store.figures import Figures
from cropsvc.store.recovery import Recovery
from cropsvc.store.running import MOST_RUNS, Running
from cropsvc.store.submitting import RESERVATION_SECONDS, Submitting
from cropsvc.store.values import (
    Lifetimes,
    Once,
    Outcome,
    Place,
    Refused,
    Standing,
    Work,
    fingerprint,
)

__all__ = [
    "MOST_RUNS",
    "RESERVATION_SECONDS",
    "Lifetimes",
    "Once",
    "Outcome",
    "Place",
    "Refused",
    "Standing",
    "Store",
    "Work",
    "fingerprint",
]


class Store(Submitting, Running, Recovery, Figures):
    """The records and bytes of all jobs, in *client*'s database."""
