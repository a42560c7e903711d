"""Records and bytes in Redis. Only this package knows the service's Redis keys.

A step that must be atomic is a Lua script in `scripts/`.
"""

from cropsvc.store.configuration import Configuration
from cropsvc.store.errors import (
    ClaimTaken,
    NoFreeConnection,
    QueueFull,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from cropsvc.store.events import Events
from cropsvc.store.incoming import Incoming, Received, in_memory, received
from cropsvc.store.keys import done_job
from cropsvc.store.lifecycle import MOST_RUNS, Running
from cropsvc.store.model import (
    BeginVerdict,
    ClaimedJob,
    Commands,
    DeferredSlot,
    IdempotencyClaim,
    JobChange,
    JobResult,
    NoSlotNeeded,
    QueueSlot,
    ReservedSlot,
    UnfinishedJobs,
    fingerprint,
)
from cropsvc.store.outbox import Outbox
from cropsvc.store.pointers import PutAway
from cropsvc.store.recovery import Recovery
from cropsvc.store.retry import until_available
from cropsvc.store.stats import Stats
from cropsvc.store.submit import RESERVATION_SECONDS, Submitting
from cropsvc.store.token_uses import TokenUses

__all__ = [
    "MOST_RUNS",
    "RESERVATION_SECONDS",
    "BeginVerdict",
    "ClaimTaken",
    "ClaimedJob",
    "Commands",
    "DeferredSlot",
    "IdempotencyClaim",
    "Incoming",
    "JobChange",
    "JobResult",
    "NoFreeConnection",
    "NoSlotNeeded",
    "PutAway",
    "QueueFull",
    "QueueSlot",
    "Received",
    "ReservedSlot",
    "Store",
    "StoreFull",
    "StoreRefused",
    "StoreUnavailable",
    "UnfinishedJobs",
    "done_job",
    "fingerprint",
    "in_memory",
    "received",
    "until_available",
]


class Store(Submitting, Running, Recovery, Outbox, TokenUses, Stats, Configuration, Events):
    """The records and bytes of all jobs, in *client*'s database."""
