"""Jobs that an engine has lost, and workers of an engine that keeps no books of its own."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, cast

from redis.client import Pipeline
from redis.exceptions import WatchError

from cropsvc.model.job import JobRef
from cropsvc.store import scripts
from cropsvc.store.base import Base
from cropsvc.store.keys import (
    ORPHANS,
    ORPHANS_TURN,
    PENDING,
    RUNNING,
    WORKERS,
    member_of,
    pending_key,
    record_key,
    ref_of,
    times_of,
)
from cropsvc.store.model import UnfinishedJobs

LOOK_SECONDS = 3  # between two looks for jobs that the engine has lost
ORPHAN_SECONDS = 5  # a job missing for so long is lost
WORKER_SECONDS = 10  # a worker silent for so long is dead


class Recovery(Base):
    """What workers do for jobs whose worker is gone."""

    def may_look_for_orphans(self) -> bool:
        """Whether it is this process's turn, of all workers'."""
        return bool(self.client.set(ORPHANS_TURN, 1, nx=True, ex=LOOK_SECONDS))

    def active_jobs(self, look: Callable[[Pipeline], object]) -> tuple[list[JobRef], list[Any]]:
        """The jobs that wait or run, and what *look*'s commands saw at the same moment."""
        with self.client.pipeline() as pipe:
            pipe.zrangebyscore(PENDING, 0, scripts.RESERVED)
            pipe.zrange(RUNNING, 0, -1)
            look(pipe)
            waiting, running, *seen = pipe.execute()
        return [ref_of(member) for member in (*waiting, *running)], seen

    def lasting_orphans(self, orphans: Sequence[JobRef]) -> list[JobRef]:
        """Those that were *orphans* in an earlier look too, ORPHAN_SECONDS ago."""
        members = [member_of(ref) for ref in orphans]
        lasting = self._run(scripts.LASTING, [ORPHANS], [ORPHAN_SECONDS * 1000, *members])
        return [ref_of(member) for member in lasting]

    def unfinished(self) -> UnfinishedJobs:
        """The jobs that wait or run, seen at one moment."""
        with self.client.pipeline() as pipe:
            pipe.zrangebyscore(PENDING, 0, scripts.RESERVED, withscores=True)
            pipe.zrange(RUNNING, 0, -1, withscores=True)
            pipe.time()
            waiting, running, (seconds, micros) = pipe.execute()
        return UnfinishedJobs(seconds * 1000 + micros // 1000, times_of(waiting), times_of(running))

    def created(self, refs: Iterable[JobRef]) -> list[int]:
        """When those jobs were created that are still known; ms."""
        with self.client.pipeline(transaction=False) as pipe:
            for ref in refs:
                pipe.hget(record_key(ref), "created")
            return [int(created) for created in pipe.execute() if created]

    def sign_of_life(self, ref: JobRef) -> None:
        """Says that a running job is in a worker's hands; RQ's books do that for RQ."""
        self._run(scripts.ALIVE, [RUNNING], [member_of(ref)])

    def requeue(
        self, ref: JobRef, enqueue: Callable[[Pipeline, str], object], *, since: int | None = None
    ) -> str | None:
        """Lets *enqueue* queue a job again; gives the job its upload came with.

        It counts as waiting, or seen, from *since* (ms) on. None if it has ended; then it no
        longer counts as waiting or running.
        """
        record = record_key(ref)
        with self.client.pipeline() as pipe, suppress(WatchError):
            pipe.watch(record)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            state, home = cast(list[bytes | None], pipe.hmget(record, "state", "source_home"))
            pending = state in (b"queued", b"running") and home is not None
            if pending:
                enqueue(pipe, (home or b"").decode())  # first, as in `submit`
            else:
                pipe.multi()
                for key in (PENDING, pending_key(ref.owner), RUNNING):
                    pipe.zrem(key, member_of(ref))
            if pending and since is not None:
                for key in (PENDING, pending_key(ref.owner), RUNNING):
                    pipe.zadd(key, {member_of(ref): since}, xx=True)
            pipe.zrem(ORPHANS, member_of(ref))
            pipe.execute()
            return (home or b"").decode() if pending else None
        return None

    def beat(self, worker: str) -> None:
        """A worker's heartbeat; *worker* is its host, a colon, and what tells it from others."""
        self._run(scripts.BEAT, [WORKERS], [worker, WORKER_SECONDS * 1000])

    def leave(self, worker: str) -> None:
        """A worker's end, so that it need not be waited out."""
        self.client.zrem(WORKERS, worker)

    def live_workers(self, host: str | None = None) -> int:
        """Workers with a fresh heartbeat, of all hosts or of one."""
        with self.client.pipeline(transaction=False) as pipe:
            pipe.zrange(WORKERS, 0, -1, withscores=True)
            pipe.time()
            seen, (seconds, _) = pipe.execute()
        fresh = (seconds - WORKER_SECONDS) * 1000
        names = [name.decode() for name, at in seen if at >= fresh]
        return sum(host is None or name.rpartition(":")[0] == host for name in names)
