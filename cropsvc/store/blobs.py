"""Where the bytes of uploads and results lie: in Redis, or in an object store.

With an object store, Redis holds a pointer where it holds the bytes without one. So every rule
about lifetimes, sharing and deletion is the same, and an object lives as long as its pointer.
OBJECTS lists each object before it is written, by the time (ms) to look at it next.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import cast

from redis.client import Pipeline

from cropsvc.model.job import Job, JobRef
from cropsvc.store.base import Base
from cropsvc.store.errors import StoreUnavailable, hidden_redis, hides_redis
from cropsvc.store.incoming import Incoming, Received
from cropsvc.store.keys import OBJECTS, OBJECTS_TURN, blob_field, record_key, results_key
from cropsvc.store.pointers import SOURCE_FIELD, PutAway, Stored, names_of, pointer_to

WRITE_SECONDS = 45  # an object that has no pointer by then never gets one
SAFE_SECONDS = 25.0  # a write that took longer is not pointed to
ENDLESS_RECHECK_SECONDS = 20  # between looks at an object whose pointer has no end yet
SWEEP_SECONDS = 2  # between two sweeps, among all workers
SWEPT = 500  # objects of one sweep
LONGEST_UPLOAD = 300.0  # seconds from an upload's headers to its last byte


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

    def incoming(self, ref: JobRef, check: Callable[[bytes], object]) -> Incoming:
        """Return where the upload for job *ref* is written to as it comes.

        *check* sees the first bytes before any is stored, and raises what refuses the upload.
        """
        return Incoming(self, ref, LONGEST_UPLOAD + SAFE_SECONDS, check)

    def put_part(self, stored: Stored, data: bytes) -> None:
        """Store a part of an upload. Raises StoreUnavailable."""
        if self._objects:
            self._note(stored, LONGEST_UPLOAD + WRITE_SECONDS)
            self._objects.put(stored.name, data)

    def settle(self, parts: Sequence[Stored]) -> None:
        """Delete the parts that nothing points to: the upload was refused, or broke off.

        If a store is away, a sweep does it later.
        """
        with suppress(StoreUnavailable), hidden_redis():
            self._delete_without_pointer(parts)

    @contextmanager
    def whole(self, upload: Received) -> Iterator[bytes]:
        """Return the bytes of an upload that has come.

        Those of uploads in parts are read again, and take turns: they share READ_BACK bytes.
        Raises StoreUnavailable.
        """
        if isinstance(upload.data, bytes):
            yield upload.data
            return
        self._read_back.take(upload.size)
        try:
            data = self._fetched(upload.data.pointer, upload.size)
            if data is None:
                raise StoreUnavailable("the object store has lost a part of the upload")
            yield data
        finally:
            self._read_back.give(upload.size)

    def _put_away(
        self, ref: JobRef, field: str, data: bytes | PutAway, content_type: str = ""
    ) -> bytes:
        """Store the bytes, and return what Redis is to hold for them. Raises StoreUnavailable."""
        if isinstance(data, PutAway):
            if time.monotonic() > data.until:
                raise StoreUnavailable(f"the upload took more than {LONGEST_UPLOAD:g} s")
            return data.pointer
        if not self._objects or not data:
            return data
        stored = Stored(f"{ref.owner}/{secrets.token_hex(16)}", ref.id, field)
        self._note(stored, WRITE_SECONDS)
        began = time.monotonic()
        self._objects.put(stored.name, data, content_type)
        if time.monotonic() - began > SAFE_SECONDS:
            raise StoreUnavailable(f"the object store took more than {SAFE_SECONDS:g} s")
        return pointer_to(stored.name)

    def _note(self, stored: Stored, seconds: float) -> None:
        """List an object that is about to be written, to be looked at in *seconds*."""
        self._run("note_object", [OBJECTS], [round(seconds * 1000), stored.member])

    def _fetched(self, value: bytes | None, size: int = 1) -> bytes | None:
        """Return the bytes for what Redis holds; None if they are gone.

        If their *size* is known, their parts are joined without a second copy.
        """
        names = names_of(value)
        if not names:
            return value
        if not self._objects:
            return None
        if len(names) == 1:
            return self._objects.get(names[0])
        joined = BytesIO()
        joined.seek(size - 1)
        joined.write(b"\0")
        joined.seek(0)
        for name in names:
            part = self._objects.get(name)
            if part is None:
                return None
            joined.write(part)
        return joined.getvalue()

    def result_url(self, job: Job, index: int, seconds: int) -> str | None:
        """Return a signed URL of the job's *index*th result; None if it is in Redis, or gone."""
        key = results_key(job.ref.owner, job.results_from)
        names = names_of(cast(bytes | None, self.client.hget(key, blob_field(index))))
        return self._objects.signed_url(names[0], seconds) if self._objects and names else None

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
        return [
            Stored(name, home, field)
            for value, (home, field) in zip(values, places, strict=True)
            for name in names_of(value)
        ]

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
        due = self.client.zrange(
            OBJECTS, 0, self._milliseconds(), byscore=True, offset=0, num=SWEPT
        )
        found = [Stored(*member.decode().split(" ")) for member in cast(list[bytes], due)]
        return self._delete_without_pointer(found)

    def _milliseconds(self) -> int:
        seconds, micros = self.client.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def _delete_without_pointer(self, found: Sequence[Stored]) -> int:
        gone = self._without_pointer(found) if found else []
        if gone and self._objects:
            self._objects.delete([stored.name for stored in gone])
            self.client.zrem(OBJECTS, *[stored.member for stored in gone])
        return len(gone)

    def _without_pointer(self, found: Sequence[Stored]) -> list[Stored]:
        """Return the objects whose pointer is gone, and note when to look at the others again."""
        now = self._milliseconds()
        with self.client.pipeline(transaction=False) as pipe:
            for stored in found:
                stored.queue_read(pipe)
            replies = pipe.execute()
        gone, living = [], {}
        for stored, value, left in zip(found, replies[::2], replies[1::2], strict=True):
            if stored.name not in names_of(value):
                gone.append(stored)
            else:
                living[stored.member] = now + (
                    left + 1000 if left >= 0 else ENDLESS_RECHECK_SECONDS * 1000
                )
        if living:
            self.client.zadd(OBJECTS, living, xx=True)
        return gone
