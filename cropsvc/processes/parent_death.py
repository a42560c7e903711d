"""Ties a process to its parent: it dies when the parent dies, whatever killed the parent.

Run as a program it ties itself and becomes another: `python -IS tether.py PARENT_PID PROGRAM ...`.
That way is safe where preexec_fn is not, and reaches programs of others, for example Valkey.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """Have the kernel send signal *number* to this process when *parent* ends.

    Raises SystemExit if *parent* has ended already. Linux only; elsewhere it does nothing.
    The kernel watches the *thread* that forked this process, so fork from a main thread.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:
        raise SystemExit(f"parent {parent} has ended")


def wrap_command(command: tuple[str, ...]) -> list[str]:
    """*command*, to be started by this process and to die with it."""
    return [sys.executable, "-IS", __file__, str(os.getpid()), *command]


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - becoming another program is its purpose
