"""Records and bytes in Redis: the only module that knows a key of ours.

Every key of a job carries its owner, so that access, fairness, idempotency and the reuse of
results never reach over to another's. Where a step must be one, it is a script of scripts.py.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import NoScriptError, WatchError

from cropsvc import scripts
from cropsvc.records import (
    Job,
    Output,
    Problem,
    Ref,
    SourceFacts,
    State,
    dump,
    dump_outputs,
    job_fields,
    job_from_fields,
)

PREFIX = "cropsvc:"
EVENTS = PREFIX + "events"
PENDING = PREFIX + "pending"
RETAINED = PREFIX + "retained"
PACE = PREFIX + "pace"
SECRET = PREFIX + "secret"
COUNTS = PREFIX + "counts"
RUNNING = PREFIX + "running"
ORPHANS = PREFIX + "orphans"
WORKERS = PREFIX + "workers"

RESERVATION_SECONDS = 300  # longest time from an upload's headers to its last byte
MOST_RUNS = 5  # a job whose worker died that often is given up
LOOK_SECONDS = 3  # between two looks for jobs that the engine has lost
ORPHAN_SECONDS = 5  # a job missing for so long is lost
WORKER_SECONDS = 10  # a worker silent for so long is dead


@dataclass(frozen=True)
class Lifetimes:
    """How long things live after a job ended, in seconds."""

    result: int
    source: int


@dataclass(frozen=True)
class Place:
    """A reserved place in the queue: for which job, when (ms), and how many wait before it."""

    ref: Ref
    now: int
    waiting: int


@dataclass(frozen=True)
class Work:
    """What the crop process needs: the source's bytes and facts, the request's JSON."""

    ref: Ref
    data: bytes | None
    source: SourceFacts
    request: str
    source_home: str
    created: int
    started: int
    trace: str


@dataclass(frozen=True)
class Outcome:
    """How a job ended: its outputs with their bytes, or why it failed."""

    state: State
    outputs: tuple[Output, ...] = ()
    blobs: tuple[bytes, ...] = ()  # one for each output, empty for a failed one
    error: Problem | None = None


@dataclass(frozen=True)
class Standing:
    """The jobs that have not ended: since when they wait, when they last gave a sign of life.

    Times are milliseconds since the epoch, by the store's clock as `now`.
    """

    now: int
    waiting: Mapping[Ref, int]
    running: Mapping[Ref, int]


@dataclass(frozen=True)
class Once:
    """An Idempotency-Key's claim: the hash of the key, and of the request it stands for."""

    key: str
    fingerprint: str


class Refused(Exception):
    """No place is free; how many wait already."""

    def __init__(self, waiting: int) -> None:
        super().__init__(waiting)
        self.waiting = waiting


class Store:
    """The records and bytes of all jobs, in *client*'s database."""

    limit_prefix = PREFIX + "limit"  # of the rate limiter's own keys

    def __init__(self, client: Redis, lifetimes: Lifetimes, signing: Iterable[str] = ()) -> None:
        self.client = client
        self._lifetimes = lifetimes
        self._secrets = [hashlib.sha256(secret.encode()).digest() for secret in signing]
        self._shas: dict[str, str] = {}

    # -- the secrets ----------------------------------------------------------------------

    def secrets(self) -> list[bytes]:
        """The secrets of ids and cookies: all are believed, the first one signs.

        They are the setting's, else one that is made once and kept with the data.
        """
        if not self._secrets:
            self.client.set(SECRET, secrets.token_hex(32), nx=True)
            self._secrets = [bytes.fromhex(cast(bytes, self.client.get(SECRET)).decode())]
        return self._secrets

    # -- submitting -----------------------------------------------------------------------

    def reserve(self, ref: Ref, cap: int, owners: Iterable[str]) -> Place:
        """A place in the queue for *ref*, or Refused; *owners* share the cap."""
        keys = [PENDING, _pending(ref.owner)]
        keys += [_pending(owner) for owner in owners if owner != ref.owner]
        granted, now, waiting = self._run(
            scripts.RESERVE, keys, [_member(ref), cap, RESERVATION_SECONDS]
        )
        if not granted:
            raise Refused(waiting)
        return Place(ref, now, waiting)

    def release(self, ref: Ref) -> None:
        """Gives a reserved place back, unless a job took it."""
        self._run(scripts.RELEASE, [PENDING, _pending(ref.owner)], [_member(ref)])

    def claimed(self, owner: str, once: Once) -> tuple[str, bool] | None:
        """The job that holds an Idempotency-Key, and whether it was the same request."""
        value = cast(bytes | None, self.client.get(_once(owner, once)))
        if value is None:
            return None
        job_id, _, fingerprint = value.decode().partition(" ")
        return job_id, hmac.compare_digest(fingerprint, once.fingerprint)

    def is_claimed(self, owner: str, key: str) -> bool:
        """Whether a job holds the Idempotency-Key with this hash."""
        return bool(self.client.exists(_once_key(owner, key)))

    def share(self, job: Job, data: bytes | None, once: Once | None) -> bool:
        """Makes *job* done at once from a living result of the same bytes and parameters.

        False when there is none. Raises WatchError when *once* was claimed meanwhile.
        """
        ref = job.ref
        fields = {**job_fields(job), "source_home": ref.id}
        verdict = self._run(
            scripts.SHARE,
            [
                _same(job),
                _record(ref),
                PENDING,
                _pending(ref.owner),
                _once(ref.owner, once) if once else _record(ref),
                COUNTS,
            ],
            [
                ref.id,
                _member(ref),
                self._lifetimes.result,
                max(1, self._lifetimes.source),
                _results(ref.owner, ""),
                _sharers(ref.owner, ""),
                _source(ref.owner, ""),
                f"{ref.id} {once.fingerprint}" if once else "",
                *_flat(fields),
            ],
        )
        if verdict == 3:
            raise WatchError("the idempotency key was claimed meanwhile")
        if verdict == 2 and data is not None and self._lifetimes.source:
            source = _source(ref.owner, ref.id)
            with self.client.pipeline() as pipe:
                pipe.set(source, data, ex=self._lifetimes.source)
                pipe.zadd(RETAINED, {source: job.created})
                pipe.execute()
        return bool(verdict)

    def adopt(self, ref: Ref, home: str) -> bool:
        """Keeps the upload of job *home* for *ref* too; False if it is gone."""
        keys = [
            _source(ref.owner, home),
            _users(ref.owner, home),
            _record(Ref(ref.owner, home)),
            RETAINED,
        ]
        return bool(self._run(scripts.ADOPT, keys, [ref.id, home]))

    def submit(
        self,
        job: Job,
        data: bytes | None,
        once: Once | None,
        *,
        enqueue: Callable[[Pipeline], object],
    ) -> None:
        """Stores the job and its upload and enqueues it, in one transaction and round trip.

        *data* is None when the upload of `source_home` is used again. *enqueue* adds the
        engine's commands. Raises WatchError when *once* was claimed meanwhile.
        """
        ref = job.ref
        with self.client.pipeline() as pipe:
            if once and not self._watch_unclaimed(pipe, _once(ref.owner, once)):
                raise WatchError("the idempotency key was claimed meanwhile")
            enqueue(pipe)  # first: RQ calls multi(), which a pipeline with commands refuses
            fields: dict[Any, Any] = job_fields(job)
            if once:
                fields["once"] = _once(ref.owner, once)
                pipe.set(_once(ref.owner, once), f"{ref.id} {once.fingerprint}")
            pipe.hset(_record(ref), mapping=fields)
            if data is not None:
                pipe.set(_source(ref.owner, ref.id), data)
            pipe.zadd(PENDING, {_member(ref): job.created})
            pipe.zadd(_pending(ref.owner), {_member(ref): job.created})
            pipe.execute()

    @staticmethod
    def _watch_unclaimed(pipe: Pipeline, key: str) -> bool:
        pipe.watch(key)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        return not pipe.exists(key)

    def keep(self, ref: Ref) -> bool:
        """Notes that another request was answered with the job; False if it is gone."""
        return bool(self._run(scripts.PATCH, [_record(ref)], ["answered", 1]))

    def withdraw(self, job: Job) -> bool:
        """Takes a submit back as if it had never been, once and upload too.

        False, and nothing done, if the job runs or has ended, or another request was answered
        with it.
        """
        ref = job.ref
        keys = [
            _record(ref),
            _source(ref.owner, job.source_home),
            _users(ref.owner, job.source_home),
            RETAINED,
            PENDING,
            _pending(ref.owner),
        ]
        arguments = [ref.id, _member(ref), job.source_home, self._lifetimes.source]
        return bool(self._run(scripts.WITHDRAW, keys, arguments))

    # -- looking up -----------------------------------------------------------------------

    def load(self, ref: Ref) -> Job | State | None:
        """The job; or just its state if it was deleted; None without a record."""
        with self.client.pipeline(transaction=False) as pipe:
            pipe.hgetall(_record(ref))
            pipe.zrank(PENDING, _member(ref))
            fields, rank = pipe.execute()
        return _job_or_state(ref, fields, rank)

    def load_with_bytes(self, ref: Ref, index: int) -> tuple[Job | State | None, bytes | None]:
        """The job and its *index*th result, in one round trip if the result is its own."""
        with self.client.pipeline(transaction=False) as pipe:
            pipe.hgetall(_record(ref))
            pipe.hget(_results(ref.owner, ref.id), _blob(index))
            fields, data = pipe.execute()
        job = _job_or_state(ref, fields, None)
        if isinstance(job, Job) and job.home != ref.id:
            data = self.result(job, index)
        return job, data

    def result(self, job: Job, index: int) -> bytes | None:
        """The bytes of the job's *index*th output, if they still live."""
        key = _results(job.ref.owner, job.home)
        return cast(bytes | None, self.client.hget(key, _blob(index)))

    def source(self, job: Job) -> bytes | None:
        """The upload's bytes, if they still live."""
        return cast(bytes | None, self.client.get(_source(job.ref.owner, job.source_home)))

    def has_source(self, job: Job) -> bool:
        """Whether the upload's bytes still live."""
        return bool(self.client.exists(_source(job.ref.owner, job.source_home)))

    def is_stopped(self, ref: Ref) -> bool:
        """Whether a job was canceled or deleted, or its record is gone."""
        return self.client.hget(_record(ref), "state") in (None, b"canceled", b"deleted")

    def trace(self, ref: Ref) -> str:
        """What the job's request left for its log lines and spans; empty without a record."""
        return (cast(bytes | None, self.client.hget(_record(ref), "trace")) or b"").decode()

    # -- running --------------------------------------------------------------------------

    def begin(self, ref: Ref, source_home: str) -> Work | str:
        """Takes the job for running, with the upload's bytes, in one round trip.

        Gives `over` if it has ended already, `spent` if its workers died too often.
        """

        def read(pipe: Pipeline) -> None:
            keys = [_record(ref), PENDING, _pending(ref.owner), RUNNING]
            self._queue(pipe, scripts.BEGIN, keys, [_member(ref), MOST_RUNS])
            pipe.get(_source(ref.owner, source_home))

        (verdict, *fields), data = self._pipeline(read)
        if verdict != b"go":
            return cast(bytes, verdict).decode()
        request, source, home, created, started, trace = fields
        return Work(
            ref=ref,
            data=data,
            source=SourceFacts(**json.loads(source)),
            request=request.decode(),
            source_home=home.decode(),
            created=int(created),
            started=int(started),
            trace=(trace or b"").decode(),
        )

    def report(
        self, ref: Ref, progress: float, stage: str, mirror: tuple[str, str, str] | None
    ) -> None:
        """Notes a running job's progress (0 to 1, never falling) and stage, and tells waiters.

        *mirror* is a hash key, field and value of the engine's that is set with it, if the hash
        is still there.
        """

        def write(pipe: Pipeline) -> None:
            arguments = [round(progress, 4), stage, EVENTS, _message(ref, "running")]
            self._queue(pipe, scripts.PROGRESS, [_record(ref)], arguments)
            if mirror:
                self._queue(pipe, scripts.PATCH, [mirror[0]], mirror[1:])

        self._pipeline(write)

    def finish(self, ref: Ref, source: SourceFacts, request: str, outcome: Outcome) -> bool:
        """Ends the job: record, bytes and news in one atomic step. False if it had ended."""
        home = cast(bytes | None, self.client.hget(_record(ref), "source_home"))
        return self.finish_work(
            Work(ref, None, source, request, (home or b"").decode(), 0, 0, ""), outcome
        )

    def finish_work(self, work: Work, outcome: Outcome) -> bool:
        """The same for work that was begun here: one round trip."""
        ref, whole = work.ref, outcome.state == "done" and not _any_failed(outcome.outputs)
        keys = [
            _record(ref),
            _results(ref.owner, ref.id),
            _source(ref.owner, work.source_home),
            _users(ref.owner, work.source_home),
            RETAINED,
            PENDING,
            _pending(ref.owner),
            _same_key(ref.owner, work.source.sha256, work.request),
            PACE,
            RUNNING,
            COUNTS,
        ]
        blobs: list[Any] = []
        for index, blob in enumerate(outcome.blobs):
            blobs += [_blob(index), blob]
        arguments = [
            ref.id,
            _member(ref),
            outcome.state,
            dump_outputs(outcome.outputs) if outcome.outputs else "",
            dump(outcome.error) if outcome.error else "",
            self._lifetimes.result,
            self._lifetimes.source,
            self._lifetimes.result if whole else 0,
            EVENTS,
            _message(ref, outcome.state),
        ]
        return bool(self._run(scripts.FINISH, keys, [*arguments, *blobs]))

    def fail(self, ref: Ref, error: Problem) -> bool:
        """Ends the job as failed, from a process that did not begin it."""
        job = self.load(ref)
        if not isinstance(job, Job):
            return False
        return self.finish(ref, job.source, job.request, Outcome("failed", error=error))

    def cancel(self, ref: Ref) -> Job | None:
        """Cancels a job that has not ended; gives it as it is then, None if it had ended."""
        job = self.load(ref)
        if not isinstance(job, Job) or job.is_terminal or self.remove(job) != "canceled":
            return None
        return replace(job, state="canceled", position=None)

    def reopen(self, ref: Ref, enqueue: Callable[[Pipeline], object]) -> bool:
        """Lets a failed job wait again, in the transaction that *enqueue* begins on its pipeline.

        Its progress stays, for it never falls. False if the job is not failed (any more), or its
        upload is gone.
        """
        job = self.load(ref)
        if not isinstance(job, Job):
            return False
        owner, home = ref.owner, job.source_home
        source, outputs = _source(owner, home), [Output(one.name, "queued") for one in job.outputs]
        keys = [_record(ref), source, _users(owner, home), RETAINED, _record(Ref(owner, home))]
        keys += [PENDING, _pending(owner)]
        arguments = [ref.id, home, _member(ref), dump_outputs(tuple(outputs))]
        arguments += [EVENTS, _message(ref, "queued")]
        with self.client.pipeline() as pipe:
            pipe.watch(*keys[:2])  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            if pipe.hget(keys[0], "state") != b"failed" or not pipe.exists(source):
                return False
            enqueue(pipe)  # first, as in `submit`
            pipe.eval(scripts.REOPEN, len(keys), *keys, *arguments)
            with suppress(WatchError):
                return bool(pipe.execute()[-1])
        return False

    def remove(self, job: Job) -> str:
        """Cancels a job that has not ended, else deletes it; gives the state it has now."""
        ref = job.ref
        keys = [
            _record(ref),
            _results(ref.owner, job.home),
            _source(ref.owner, job.source_home),
            _users(ref.owner, job.source_home),
            RETAINED,
            PENDING,
            _pending(ref.owner),
            _same(job),
            _sharers(ref.owner, job.home),
            _record(Ref(ref.owner, job.home)),
            RUNNING,
            COUNTS,
        ]
        arguments = [
            ref.id,
            _member(ref),
            job.home,
            self._lifetimes.result,
            self._lifetimes.source,
            EVENTS,
            _message(ref, "canceled"),
            job.source_home,
        ]
        return cast(bytes, self._run(scripts.REMOVE, keys, arguments)).decode()

    def count(self, increments: Mapping[str, int]) -> None:
        """Adds to the figures that all processes share."""
        with self.client.pipeline(transaction=False) as pipe:
            for name, amount in increments.items():
                pipe.hincrby(COUNTS, name, amount)
            pipe.execute()

    def counts(self) -> dict[str, float]:
        """The figures that all processes share, since the store was made."""
        found = cast(dict[bytes, bytes], self.client.hgetall(COUNTS))
        return {name.decode(): float(value) for name, value in found.items()}

    def check_writable(self) -> None:
        """Raises a RedisError unless the server takes writes: a PING does not tell."""
        self.client.set(PREFIX + "probe", "1", ex=10)

    def now(self) -> int:
        """The store's clock, the only one that decides; ms since the epoch."""
        seconds, micros = self.client.time()
        return seconds * 1000 + micros // 1000

    def memory(self) -> tuple[int, int]:
        """Bytes that the server uses, and its `maxmemory`; 0 for none."""
        told: dict[str, Any] = self.client.info("memory")
        return int(told["used_memory"]), int(told.get("maxmemory", 0))

    # -- the queue as a whole -------------------------------------------------------------

    def pace(self) -> float:
        """Jobs ended per second while any was there, lately; 0 before the first.

        Falls while jobs wait and none ends.
        """
        with self.client.pipeline(transaction=False) as pipe:
            pipe.lrange(PACE, 0, -1)
            pipe.zrangebyscore(PENDING, 0, scripts.RESERVED, start=0, num=1, withscores=True)
            pipe.time()
            ends, oldest, (seconds, _) = pipe.execute()
        if not ends:
            return 0.0
        idle_since = max(int(ends[0].split()[0]), oldest[0][1]) if oldest else seconds * 1000
        busy = sum(int(end.split()[-1]) for end in ends)
        span = busy + max(0.0, seconds * 1000 - idle_since)
        return len(ends) * 1000 / span if span else 0.0

    def waiting(self) -> int:
        """Jobs in the queue, reserved places not counted."""
        return self.client.zcount(PENDING, 0, scripts.RESERVED)

    def oldest_wait(self, now: float) -> float:
        """Seconds that the oldest waiting job has waited, at *now* (seconds)."""
        first = cast(
            list[tuple[bytes, float]],
            self.client.zrangebyscore(
                PENDING, 0, scripts.RESERVED, start=0, num=1, withscores=True
            ),
        )
        return max(0.0, now - first[0][1] / 1000) if first else 0.0

    def shed_sources(self, count: int) -> int:
        """Deletes the *count* oldest uploads that are only kept for cropping again."""
        oldest = cast(list[bytes], self.client.zrange(RETAINED, 0, count - 1))
        if oldest:
            with self.client.pipeline() as pipe:
                pipe.delete(*oldest)
                pipe.zrem(RETAINED, *oldest)
                pipe.execute()
        return len(oldest)

    # -- what the engine has lost -----------------------------------------------------------

    def may_look_for_orphans(self) -> bool:
        """Whether it is this process's turn, of all workers'."""
        return bool(self.client.set(ORPHANS + ":turn", 1, nx=True, ex=LOOK_SECONDS))

    def unsettled(self, look: Callable[[Pipeline], object]) -> tuple[list[Ref], list[Any]]:
        """The jobs that wait or run, and what *look*'s commands saw at the same moment."""
        with self.client.pipeline() as pipe:
            pipe.zrangebyscore(PENDING, 0, scripts.RESERVED)
            pipe.zrange(RUNNING, 0, -1)
            look(pipe)
            waiting, running, *seen = pipe.execute()
        return [_ref(member) for member in (*waiting, *running)], seen

    def lasting_orphans(self, orphans: Sequence[Ref]) -> list[Ref]:
        """Those that were *orphans* in an earlier look too, ORPHAN_SECONDS ago."""
        members = [_member(ref) for ref in orphans]
        lasting = self._run(scripts.LASTING, [ORPHANS], [ORPHAN_SECONDS * 1000, *members])
        return [_ref(member) for member in lasting]

    def standing(self) -> Standing:
        """The jobs that wait or run, seen at one moment."""
        with self.client.pipeline() as pipe:
            pipe.zrangebyscore(PENDING, 0, scripts.RESERVED, withscores=True)
            pipe.zrange(RUNNING, 0, -1, withscores=True)
            pipe.time()
            waiting, running, (seconds, micros) = pipe.execute()
        return Standing(seconds * 1000 + micros // 1000, _times(waiting), _times(running))

    def created(self, refs: Iterable[Ref]) -> list[int]:
        """When those jobs were created that are still known; ms."""
        with self.client.pipeline(transaction=False) as pipe:
            for ref in refs:
                pipe.hget(_record(ref), "created")
            return [int(created) for created in pipe.execute() if created]

    def sign_of_life(self, ref: Ref) -> None:
        """Says that a running job is in a worker's hands; RQ's books do that for RQ."""
        self._run(scripts.ALIVE, [RUNNING], [_member(ref)])

    def recall(
        self, ref: Ref, enqueue: Callable[[Pipeline, str], object], *, since: int | None = None
    ) -> str | None:
        """Lets *enqueue* queue a job again; gives the job its upload came with.

        It counts as waiting, or seen, from *since* (ms) on. None if it has ended; then it no
        longer counts as waiting or running.
        """
        record = _record(ref)
        with self.client.pipeline() as pipe, suppress(WatchError):
            pipe.watch(record)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            state, home = cast(list[bytes | None], pipe.hmget(record, "state", "source_home"))
            pending = state in (b"queued", b"running") and home is not None
            if pending:
                enqueue(pipe, (home or b"").decode())  # first, as in `submit`
            else:
                pipe.multi()
                for key in (PENDING, _pending(ref.owner), RUNNING):
                    pipe.zrem(key, _member(ref))
            if pending and since is not None:
                for key in (PENDING, _pending(ref.owner), RUNNING):
                    pipe.zadd(key, {_member(ref): since}, xx=True)
            pipe.zrem(ORPHANS, _member(ref))
            pipe.execute()
            return (home or b"").decode() if pending else None
        return None

    # -- workers of an engine that keeps no books of its own ----------------------------------

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

    # -- scripts --------------------------------------------------------------------------

    def _run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        return self._pipeline(lambda pipe: self._queue(pipe, script, keys, arguments))[0]

    def _queue(
        self, pipe: Pipeline, script: str, keys: Sequence[str], arguments: Sequence[Any]
    ) -> None:
        sha = self._shas.get(script)
        if sha is None:
            sha = self._shas[script] = hashlib.sha1(  # noqa: S324 - it is how EVALSHA names scripts
                script.encode()
            ).hexdigest()
        pipe.evalsha(sha, len(keys), *keys, *arguments)

    def _pipeline(self, fill: Callable[[Pipeline], None]) -> list[Any]:
        with self.client.pipeline(transaction=False) as pipe:
            fill(pipe)
            try:
                return pipe.execute()
            except NoScriptError:
                self.load_scripts()
            fill(pipe)
            return pipe.execute()

    def load_scripts(self) -> None:
        """Makes every script known to the server."""
        with self.client.pipeline(transaction=False) as pipe:
            for script in _ALL_SCRIPTS:
                pipe.script_load(script)
            pipe.execute()


_ALL_SCRIPTS = (
    scripts.RESERVE,
    scripts.BEGIN,
    scripts.PROGRESS,
    scripts.FINISH,
    scripts.REMOVE,
    scripts.SHARE,
    scripts.ADOPT,
    scripts.PATCH,
    scripts.RELEASE,
    scripts.LASTING,
    scripts.WITHDRAW,
    scripts.ALIVE,
    scripts.BEAT,
)


def fingerprint(sha256: str, request: str) -> str:
    """What makes two submits the same: the bytes' SHA-256 and the canonical request."""
    return hashlib.sha256(f"{sha256} {request}".encode()).hexdigest()


def _job_or_state(ref: Ref, fields: dict[bytes, bytes], rank: int | None) -> Job | State | None:
    if not fields:
        return None
    if b"request" not in fields:
        return "deleted"
    return job_from_fields(ref, fields, None if rank is None else rank + 1)


def _any_failed(outputs: tuple[Output, ...]) -> bool:
    return any(output.error for output in outputs)


def _flat(fields: dict[str, Any]) -> list[Any]:
    return [part for pair in fields.items() for part in pair]


def _message(ref: Ref, state: str) -> str:
    return f"{ref.owner} {ref.id} {state}"


def _member(ref: Ref) -> str:
    return f"{ref.owner}/{ref.id}"


def _ref(member: bytes) -> Ref:
    owner, _, job_id = member.decode().partition("/")
    return Ref(owner, job_id)


def _times(found: Iterable[tuple[bytes, float]]) -> dict[Ref, int]:
    return {_ref(member): int(score) for member, score in found}


def _record(ref: Ref) -> str:
    return f"{PREFIX}job:{ref.owner}:{ref.id}"


def _source(owner: str, home: str) -> str:
    return f"{PREFIX}source:{owner}:{home}"


def _users(owner: str, home: str) -> str:
    return f"{PREFIX}users:{owner}:{home}"


def _results(owner: str, home: str) -> str:
    return f"{PREFIX}results:{owner}:{home}"


def _sharers(owner: str, home: str) -> str:
    return f"{PREFIX}sharers:{owner}:{home}"


def _pending(owner: str) -> str:
    return f"{PENDING}:{owner}"


def _same(job: Job) -> str:
    return _same_key(job.ref.owner, job.source.sha256, job.request)


def _same_key(owner: str, sha256: str, request: str) -> str:
    return f"{PREFIX}same:{owner}:{fingerprint(sha256, request)}"


def _once(owner: str, once: Once) -> str:
    return _once_key(owner, once.key)


def _once_key(owner: str, key: str) -> str:
    return f"{PREFIX}once:{owner}:{key}"


def _blob(index: int) -> str:
    return f"bytes{index}"
