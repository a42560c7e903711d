"""How many CPUs the service believes to have: a container's limit counts."""

import os
from pathlib import Path

import pytest

from cropsvc.settings import settings as module
from cropsvc.settings.cpus import usable_cpus
from cropsvc.settings.settings import Settings


@pytest.fixture
def sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)


def _cpus(directory: Path, files: dict[str, str], group: str = "/") -> int:
    own = directory / "own"
    own.write_text(f"0::{group}\n")
    for name, text in files.items():
        path = directory / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return usable_cpus(directory / "cgroup", own)


@pytest.mark.usefixtures("sixteen")
@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({}, 16),
        ({"cpu.max": "max 100000\n"}, 16),
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "5000 100000\n"}, 1),
        ({"cpu.max": "9900000 100000\n"}, 16),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 16),
    ],
)
def test_a_quota_counts_as_a_number_of_cpus(
    tmp_path: Path, files: dict[str, str], cpus: int
) -> None:
    assert _cpus(tmp_path, files) == cpus


@pytest.mark.usefixtures("sixteen")
def test_the_smallest_quota_of_the_own_group_and_those_above_counts(tmp_path: Path) -> None:
    files = {"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000", "c/cpu.max": "1 1"}
    assert _cpus(tmp_path, files, "/a/b") == 3


@pytest.mark.parametrize(("cpus", "processes"), [(1, 1), (4, 1), (7, 1), (8, 2), (16, 4)])
def test_the_front_end_has_one_process_for_every_four_cpus(
    monkeypatch: pytest.MonkeyPatch, cpus: int, processes: int
) -> None:
    monkeypatch.setattr(module, "usable_cpus", lambda: cpus)
    assert Settings.from_env({}).web_workers == processes
