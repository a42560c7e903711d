"""Stacks without a worker that several tests use, one after another.

A start costs seconds of processor time. A test may start the worker and restart the front end:
the next test gets the stack without a worker and with an empty store.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.stack import Stack, StackError, running

STOP_SECONDS = 20


class IdleStacks:
    """The stacks that no test uses now; `lease` starts one if there is none."""

    def __init__(self, make_directory: Callable[[], Path], exits: ExitStack) -> None:
        self._make_directory, self._exits = make_directory, exits
        self._free: dict[str, list[Stack]] = {}

    @contextmanager
    def lease(self) -> Iterator[Stack]:
        """A stack with the default settings, without a worker and without jobs."""
        free = self._free.setdefault(_network(), [])
        stack = free.pop() if free else self._start()
        yield stack
        if _is_whole(stack):  # else it stops at the end of the run
            _empty(stack)
            free.append(stack)

    def _start(self) -> Stack:
        return self._exits.enter_context(running(self._make_directory(), worker=False))


def _network() -> str:
    """Return the network namespace: the browser tests have one of their own."""
    return os.readlink("/proc/thread-self/ns/net")


def _is_whole(stack: Stack) -> bool:
    return stack.valkey.running and stack.web.running


def _empty(stack: Stack) -> None:
    if stack.worker.running:
        stack.worker.signal(15)
        if stack.worker.join(STOP_SECONDS) is None:
            raise StackError(f"the worker did not stop\n{stack.logs()}")
    with stack.redis() as store:
        store.flushall()
