"""Jobs that a queue has lost, and the heartbeats of workers whose queue keeps none."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, cast

from redis.exceptions import WatchError

from cropsvc.model.job import JobRef
from cropsvc.store.base import Base
from cropsvc.store.errors import hides_redis
from cropsvc.store.keys import (
    ORPHANS,
    ORPHANS_TURN,
    PENDING,
    RESERVED,
    RUNNING,
    WORKERS,
    member_of,
    pending_key,
    record_key,
    ref_of,
    times_of,
)
from cropsvc.store.model import Commands, UnfinishedJobs

SEARCH_SECONDS = 3  # between two searches for lost jobs
ORPHAN_SECONDS = 5  # a job missing for so long is lost
WORKER_SECONDS = 10  # a worker silent for so long is dead


@hides_redis
class Recovery(Base):
    """What workers do for jobs whose worker died."""

    def may_look_for_orphans(self) -> bool:
        """Return whether it is this process's turn to search, among all workers."""
        return bool(self.client.set(ORPHANS_TURN, 1, nx=True, ex=SEARCH_SECONDS))

    def active_jobs(self, look: Commands) -> tuple[list[JobRef], list[Any]]:
        """Return the waiting and running jobs, and what *look*'s commands saw at that moment."""
        with self.client.pipeline() as pipe:
            pipe.zrangebyscore(PENDING, 0, RESERVED)
            pipe.zrange(RUNNING, 0, -1)
            look(pipe)
            waiting, running, *seen = pipe.execute()
        return [ref_of(member) for member in (*waiting, *running)], seen

    def lasting_orphans(self, orphans: Sequence[JobRef]) -> list[JobRef]:
        """Return those that were *orphans* in an earlier search too, ORPHAN_SECONDS ago."""
        members = [member_of(ref) for ref in orphans]
        lasting = self._run("lasting", [ORPHANS], [ORPHAN_SECONDS * 1000, *members])
        return [ref_of(member) for member in lasting]

    def unfinished(self) -> UnfinishedJobs:
        """Return the waiting and running jobs as they are at one moment."""
        with self.client.pipeline() as pipe:
            pipe.zrangebyscore(PENDING, 0, RESERVED, withscores=True)
            pipe.zrange(RUNNING, 0, -1, withscores=True)
            pipe.time()
            waiting, running, (seconds, micros) = pipe.execute()
        return UnfinishedJobs(seconds * 1000 + micros // 1000, times_of(waiting), times_of(running))

    def created(self, refs: Iterable[JobRef]) -> list[int]:
        """Return when the jobs that still have a record were created; ms."""
        with self.client.pipeline(transaction=False) as pipe:
            for ref in refs:
                pipe.hget(record_key(ref), "created")
            return [int(created) for created in pipe.execute() if created]

    def sign_of_life(self, ref: JobRef) -> None:
        """Refresh a running job's heartbeat. RQ has heartbeats of its own."""
        self._run("alive", [RUNNING], [member_of(ref)])

    def requeue(
        self,
        ref: JobRef,
        commands: Callable[[JobRef, str], Commands | None],
        *,
        since: int | None = None,
    ) -> str | None:
        """Queue a job again by the queue's *commands*. Return the job that its upload came with.

        The job counts as waiting, or seen, from *since* (ms) on. Return None if it has ended:
        then it no longer counts as waiting or running.
        """
        record = record_key(ref)
        with self.client.pipeline() as pipe, suppress(WatchError):
            pipe.watch(record)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            state, home = cast(list[bytes | None], pipe.hmget(record, "state", "source_home"))
            pending = state in (b"queued", b"running") and home is not None
            upload_from = (home or b"").decode()
            pipe.multi()
            if not pending:
                for key in (PENDING, pending_key(ref.owner), RUNNING):
                    pipe.zrem(key, member_of(ref))
            if pending and since is not None:
                for key in (PENDING, pending_key(ref.owner), RUNNING):
                    pipe.zadd(key, {member_of(ref): since}, xx=True)
            pipe.zrem(ORPHANS, member_of(ref))
            if pending and (enqueue := commands(ref, upload_from)):
                enqueue(pipe)
            pipe.execute()
            return upload_from if pending else None
        return None

    def beat(self, worker: str) -> None:
        """Refresh a worker's heartbeat. *worker* is its host, a colon, and its process id."""
        self._run("beat", [WORKERS], [worker, WORKER_SECONDS * 1000])

    def leave(self, worker: str) -> None:
        """Drop a worker that ends, so that its heartbeat need not expire first."""
        self.client.zrem(WORKERS, worker)

    def live_workers(self, host: str | None = None) -> int:
        """Return how many workers have a fresh heartbeat, on all hosts or on one."""
        with self.client.pipeline(transaction=False) as pipe:
            pipe.zrange(WORKERS, 0, -1, withscores=True)
            pipe.time()
            seen, (seconds, _) = pipe.execute()
        fresh = (seconds - WORKER_SECONDS) * 1000
        names = [name.decode() for name, at in seen if at >= fresh]
        return sum(host is None or name.rpartition(":")[0] == host for name in names)
