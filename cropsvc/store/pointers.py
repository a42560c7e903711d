"""What Redis holds in the place of bytes that are objects, and the list of all objects."""

import re
from dataclasses import dataclass

from redis.client import Pipeline

from cropsvc.store.keys import results_key, source_key

SOURCE_FIELD = "source"  # in a member of OBJECTS: it is an upload
POINTER = b"cropsvc-object:"  # no image begins like this
LONGEST_POINTER = 400  # bytes; an owner's name has up to 64
IN_PARTS = re.compile(r"(.*/[0-9a-f]{32})\*([0-9]+)")


@dataclass(frozen=True)
class PutAway:
    """An upload that is in the object store already, in parts, and what points to it.

    It may be pointed to until the monotonic clock shows `until`; later its parts may be swept.
    """

    pointer: bytes
    until: float


@dataclass(frozen=True)
class Stored:
    """An object, and the place of its pointer: the job and the field."""

    name: str  # owner/random, with the part's number behind a dot
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


def pointer_to(name: str, parts: int = 0) -> bytes:
    """Return the pointer to one object; with *parts*, to as many."""
    return POINTER + (f"{name}*{parts}" if parts else name).encode()


def part_of(name: str, number: int) -> str:
    """Return the name of a part; the first is number 0."""
    return f"{name}.{number}"


def names_of(value: bytes | None) -> tuple[str, ...]:
    """Return the names of the objects that *value* points to; none if it is not a pointer."""
    if not value or not value.startswith(POINTER):
        return ()
    text = value[len(POINTER) :].decode()
    match = IN_PARTS.fullmatch(text)
    if not match:
        return (text,)
    return tuple(part_of(match[1], number) for number in range(int(match[2])))
