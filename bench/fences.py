"""Several hosts on one machine: a network namespace and a share of the CPU for each. Needs root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.drain import until
from bench.results import BenchError

PERIOD = 25_000  # microseconds; with the default of 100,000 a job is held back for too long
NET = "10.203"
GROUPS = Path("/sys/fs/cgroup")
PROCESSES = "cgroup.procs"
INSIDE = 'echo $$ > "$0" && exec "$@"'  # a shell that joins the group, then becomes the program


@dataclass(frozen=True)
class Host:
    """A fenced-in host; its only way out is to *gateway*."""

    namespace: str
    gateway: str
    group: Path

    def command(self, *program: str) -> tuple[str, ...]:
        """The command that runs a program there."""
        inside = ("ip", "netns", "exec", self.namespace, *program)
        return ("sh", "-c", INSIDE, str(self.group / PROCESSES), *inside)


@contextmanager
def host(number: int, cores: float) -> Iterator[Host]:
    """A host with that share of the CPU; *number*, from 0 to 255, tells it from others."""
    if os.geteuid():
        raise BenchError("network namespaces and CPU shares need root")
    name = f"cropsvc-{os.getpid()}-{number}"
    with ExitStack() as exits:
        gateway = exits.enter_context(_network(name, number))
        yield Host(name, gateway, exits.enter_context(share(name, cores)))


@contextmanager
def _network(name: str, number: int) -> Iterator[str]:
    gateway, address, inner, outer = f"{NET}.{number}.1", f"{NET}.{number}.2", "eth0", f"cs{number}"
    _run("ip", "netns", "add", name)
    try:
        _run("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name)
        _run("ip", "address", "add", f"{gateway}/30", "dev", outer)
        _run("ip", "link", "set", outer, "up")
        _run("ip", "-n", name, "address", "add", f"{address}/30", "dev", inner)
        _run("ip", "-n", name, "link", "set", inner, "up")
        _run("ip", "-n", name, "link", "set", "lo", "up")
        yield gateway
    finally:
        _run("ip", "netns", "delete", name)  # and both ends of its cable


@contextmanager
def share(name: str, cores: float) -> Iterator[Path]:
    """A control group that may use that much of the CPU, by version 2 or 1 of cgroups."""
    if (GROUPS / "cgroup.controllers").exists():
        group, settings = GROUPS / name, {"cpu.max": f"{int(cores * PERIOD)} {PERIOD}"}
    else:
        group = GROUPS / "cpu" / name
        settings = {"cpu.cfs_period_us": str(PERIOD), "cpu.cfs_quota_us": str(int(cores * PERIOD))}
    group.mkdir()
    try:
        for setting, value in settings.items():
            (group / setting).write_text(value)
        yield group
    finally:
        until(lambda: not (group / PROCESSES).read_text(), 5, f"{group} is empty")
        group.rmdir()


@contextmanager
def confined(pid: int, group: Path) -> Iterator[None]:
    """Holds a running process to the group's share for the time of the block."""
    (group / PROCESSES).write_text(str(pid))
    try:
        yield
    finally:
        (group.parent / PROCESSES).write_text(str(pid))


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        raise BenchError(f"{' '.join(command)}: {ended.stderr.strip()}")
