"""Where the bytes of uploads and results lie: in Redis, or in an object store.

With an object store, Redis holds a pointer where it holds the bytes without one. So every rule
about lifetimes, sharing and deletion is the same, and an object lives as long as its pointer.
OBJECTS lists each object before it is written, by the time (ms) to look at it next.
"""

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from redis.client import Pipeline

from cropsvc.model.job import Job, JobRef
from cropsvc.store.base import Base
from cropsvc.store.errors import StoreUnavailable, hides_redis
from cropsvc.store.keys import (
    OBJECTS,
    OBJECTS_TURN,
    blob_field,
    record_key,
    results_key,
    source_key,
)

SOURCE_FIELD = "source"  # in a member of OBJECTS: it is an upload
POINTER = b"cropsvc-object:"  # no image begins like this
LONGEST_POINTER = 400  # bytes; an owner's name has up to 64
WRITE_SECONDS = 45  # an object that has no pointer by then never gets one
SAFE_SECONDS = 25.0  # a write that took longer is not pointed to
ENDLESS_RECHECK_SECONDS = 20  # between looks at an object whose pointer has no end yet
SWEEP_SECONDS = 2  # between two sweeps, among all workers
SWEPT = 500  # objects of one sweep


@dataclass(frozen=True)
class Stored:
    """An object, and the place of its pointer: the job and the field."""

    name: str  # owner/random
    home: str
    field: str

    @property
    def member(self) -> str:
        """The member of OBJECTS."""
        return f"{self.name} {self.home} {self.field}"

    @property
    def key(self) -> str:
        """The Redis key that holds the pointer."""
        owner = self.name.partition("/")[0]
        is_upload = self.field == SOURCE_FIELD
        return source_key(owner, self.home) if is_upload else results_key(owner, self.home)

    def queue_read(self, pipe: Pipeline) -> None:
        """Add the commands that read the pointer, and its lifetime left in ms."""
        if self.field == SOURCE_FIELD:
            pipe.getrange(self.key, 0, LONGEST_POINTER)
        else:
            pipe.hget(self.key, self.field)
        pipe.pttl(self.key)


@hides_redis
class Blobs(Base):
    """The bytes of uploads and results."""

    @property
    def keeps_objects(self) -> bool:
        """Whether bytes lie in an object store."""
        return self._objects is not None

    def check_objects(self) -> None:
        """Raise StoreUnavailable if the object store cannot be used."""
        if self._objects:
            self._objects.check()

    def _put_away(self, ref: JobRef, field: str, data: bytes, content_type: str = "") -> bytes:
        """Store the bytes, and return what Redis is to hold for them. Raises StoreUnavailable."""
        if not self._objects or not data:
            return data
        stored = Stored(f"{ref.owner}/{secrets.token_hex(16)}", ref.id, field)
        self._run("note_object", [OBJECTS], [WRITE_SECONDS * 1000, stored.member])
        began = time.monotonic()
        self._objects.put(stored.name, data, content_type)
        if time.monotonic() - began > SAFE_SECONDS:
            raise StoreUnavailable(f"the object store took more than {SAFE_SECONDS:g} s")
        return POINTER + stored.name.encode()

    def _fetched(self, value: bytes | None) -> bytes | None:
        """Return the bytes for what Redis holds; None if they are gone."""
        name = name_of(value)
        if name is None:
            return value
        return self._objects.get(name) if self._objects else None

    def result_url(self, job: Job, index: int, seconds: int) -> str | None:
        """Return a signed URL of the job's *index*th result; None if it is in Redis, or gone."""
        key = results_key(job.ref.owner, job.results_from)
        name = name_of(cast(bytes | None, self.client.hget(key, blob_field(index))))
        return self._objects.signed_url(name, seconds) if self._objects and name else None

    def _objects_of(self, job: Job) -> list[Stored]:
        """Return the objects that the job's upload and results are in."""
        if not self._objects:
            return []
        owner, fields = job.ref.owner, [blob_field(index) for index in range(len(job.outputs))]
        places = [(job.results_from, field) for field in fields]
        places.append((job.upload_from, SOURCE_FIELD))
        with self.client.pipeline(transaction=False) as pipe:
            for home, field in places:
                Stored(f"{owner}/", home, field).queue_read(pipe)
            values = pipe.execute()[::2]
        named = [(name_of(value), *place) for value, place in zip(values, places, strict=True)]
        return [Stored(name, home, field) for name, home, field in named if name]

    @staticmethod
    def _queue_look(pipe: Pipeline, objects: Iterable[Stored]) -> None:
        """Let the next sweep look at these objects."""
        for stored in objects:
            pipe.zadd(OBJECTS, {stored.member: 0}, xx=True)

    def _not_run(self, ref: JobRef) -> None:
        """Take back that a run of the job began: the object store was away, not its worker."""
        self._run("not_run", [record_key(ref)], [])

    def sweep_objects(self) -> int:
        """Delete the objects whose pointer is gone. Return how many; all workers take turns.

        An object leaves OBJECTS after it was deleted: a sweep that is killed is done again.
        """
        if not self._objects or not self.client.set(OBJECTS_TURN, 1, nx=True, ex=SWEEP_SECONDS):
            return 0
        seconds, micros = self.client.time()
        now = int(seconds) * 1000 + int(micros) // 1000
        due = self.client.zrange(OBJECTS, 0, now, byscore=True, offset=0, num=SWEPT)
        found = [Stored(*member.decode().split(" ")) for member in cast(list[bytes], due)]
        gone = self._without_pointer(found, now)
        self._objects.delete([stored.name for stored in gone])
        if gone:
            self.client.zrem(OBJECTS, *[stored.member for stored in gone])
        return len(gone)

    def _without_pointer(self, found: Sequence[Stored], now: int) -> list[Stored]:
        """Return the objects whose pointer is gone, and note when to look at the others again."""
        if not found:
            return []
        with self.client.pipeline(transaction=False) as pipe:
            for stored in found:
                stored.queue_read(pipe)
            replies = pipe.execute()
        gone, living = [], {}
        for stored, value, left in zip(found, replies[::2], replies[1::2], strict=True):
            if name_of(value) != stored.name:
                gone.append(stored)
            else:
                living[stored.member] = now + (
                    left + 1000 if left >= 0 else ENDLESS_RECHECK_SECONDS * 1000
                )
        if living:
            self.client.zadd(OBJECTS, living, xx=True)
        return gone


def name_of(value: bytes | None) -> str | None:
    """Return the object's name, if *value* is a pointer."""
    return value[len(POINTER) :].decode() if value and value.startswith(POINTER) else None
