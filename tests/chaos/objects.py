"""What a campaign leaves in an object store, here a directory."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import redis

from cropsvc.store.pointers import LONGEST_POINTER, names_of

GONE_SECONDS = 60.0  # after the last job expired, no object is left


@dataclass
class ObjectCount:
    """The objects of a campaign with an object store."""

    most: int = 0  # when all jobs had ended
    pointers: int = 0  # to objects, then
    nowhere: list[str] = field(default_factory=list)  # pointers to what is not there
    left: int = 0  # GONE_SECONDS after the last job expired
    gone: float = 0.0  # seconds after that when the last object went

    def text(self) -> str:
        """The lines of a report."""
        return (
            f"objects             {self.most} when all jobs had ended, {self.pointers} pointed to\n"
            f"point at nothing    {len(self.nowhere)} {self.nowhere[:5] or ''}\n"
            f"left after expiry   {self.left}; the last went {self.gone:.0f} s after the last job"
        )


def files(directory: Path) -> list[Path]:
    """All objects, and whatever else lies there."""
    return [path for path in directory.rglob("*") if path.is_file()]


def counted(store: redis.Redis, directory: Path) -> ObjectCount:
    """Compare the pointers of a quiet service with the objects."""
    count = ObjectCount(most=len(files(directory)))
    for value in _values(store):
        for name in names_of(value):
            count.pointers += 1
            if not (directory / name).is_file():
                count.nowhere.append(name)
    return count


def _values(store: redis.Redis) -> list[bytes]:
    found: list[bytes] = []
    for key in store.scan_iter("cropsvc:source:*", count=1000):
        found.append(store.getrange(key, 0, LONGEST_POINTER))
    for key in store.scan_iter("cropsvc:results:*", count=1000):
        found += [value for name, value in store.hgetall(key).items() if name.startswith(b"bytes")]
    return found


def await_end(store: redis.Redis, directory: Path, count: ObjectCount, lifetime: float) -> None:
    """Wait until the last job has expired, and then for its objects to go."""
    deadline = time.monotonic() + lifetime + GONE_SECONDS
    while _values(store) and time.monotonic() < deadline:
        time.sleep(0.5)
    expired = time.monotonic()
    while files(directory) and time.monotonic() < expired + GONE_SECONDS:
        time.sleep(0.5)
    count.gone = time.monotonic() - expired
    count.left = len(files(directory))
