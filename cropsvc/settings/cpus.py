"""How many CPUs this process may use: a container's limit counts, not the host's number."""

import os
from contextlib import suppress
from math import ceil
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def usable_cpus(cgroups: Path = CGROUPS, own: Path = OWN) -> int:
    """Return the CPUs that this process may run on, at most its control groups' quota, at least 1.

    `os.process_cpu_count` of Python 3.13 knows nothing of a quota.
    """
    affine = getattr(os, "sched_getaffinity", None)  # Linux
    allowed = len(affine(0)) if affine else os.cpu_count() or 1
    return max(1, min([allowed, *_quotas(cgroups, own)]))


def _quotas(cgroups: Path, own: Path) -> list[int]:
    """Return the quotas of this process's group and those above it, in whole CPUs, rounded up."""
    name = ""
    with suppress(OSError):
        lines = own.read_text(encoding="ascii", errors="replace").splitlines()
        name = next((line[3:].strip("/") for line in lines if line.startswith("0::")), "")
    group = cgroups / name
    places = [group, *group.parents]
    found = [_version_2(place / "cpu.max") for place in places if place.is_relative_to(cgroups)]
    return [ceil(quota) for quota in (*found, _version_1(cgroups / "cpu")) if quota]


def _version_2(path: Path) -> float | None:
    with suppress(OSError, ValueError):  # no such group, or `max`
        quota, period = path.read_text(encoding="ascii").split()
        return int(quota) / int(period)
    return None


def _version_1(group: Path) -> float | None:
    with suppress(OSError, ValueError):
        quota = int((group / "cpu.cfs_quota_us").read_text(encoding="ascii"))
        period = int((group / "cpu.cfs_period_us").read_text(encoding="ascii"))
        return quota / period if quota > 0 else None  # -1: no limit
    return None
