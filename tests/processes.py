"""Looks at other processes, any of which may end while it is looked at."""

from collections.abc import Iterable
from contextlib import suppress

import psutil

SANDBOX = "cropsvc.cropping.sandbox"  # on the command line of a crop process


def command_line(process: psutil.Process) -> str:
    """Its command line; empty when it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def lives(process: psutil.Process) -> bool:
    """Whether it runs: one that has ended and that nobody has waited for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def crop_processes(tree: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those of *tree* that are crop processes."""
    return [process for process in tree if SANDBOX in command_line(process)]


def below(process: psutil.Process) -> list[psutil.Process]:
    """Its children and theirs; none when it has ended."""
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kills those that still live."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
