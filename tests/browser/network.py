"""A network of the browser tests' own.

Chromium fails every request under way (`net::ERR_NETWORK_CHANGED`) when an interface comes or
goes on its machine, and each container that the compose tests start brings one.
"""

import ctypes
import fcntl
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CLONE_NEWNET = 0x4000_0000  # sched.h
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914  # sockios.h
IFF_UP = 1  # if.h
INTERFACE = struct.Struct("16sH22x")  # struct ifreq of netdevice(7): a name and its flags


class Network:
    """A namespace with nothing but loopback; where we may not make one, the machine's network."""

    def __init__(self) -> None:
        self._here = self._there = -1
        if sys.platform != "linux":
            return
        self._here = _current()
        with suppress(PermissionError):  # it takes CAP_SYS_ADMIN, which root in a container lacks
            _called("unshare", CLONE_NEWNET)
            _bring_loopback_up()
            self._there = _current()
            _called("setns", self._here, CLONE_NEWNET)

    @property
    def is_own(self) -> bool:
        """Whether it is another than the machine's."""
        return self._there >= 0

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread, and the processes that it starts meanwhile, are in it."""
        if not self.is_own:
            yield
            return
        before = _current()  # a session's fixture may begin while a module's is entered
        _called("setns", self._there, CLONE_NEWNET)
        try:
            yield
        finally:
            _called("setns", before, CLONE_NEWNET)
            os.close(before)

    def close(self) -> None:
        """Forgets it; it ends with the last process in it."""
        for descriptor in (self._here, self._there):
            if descriptor >= 0:
                os.close(descriptor)


def _current() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _bring_loopback_up() -> None:
    with socket.socket() as any_socket:
        asked = INTERFACE.pack(b"lo", 0)
        name, flags = INTERFACE.unpack(fcntl.ioctl(any_socket, SIOCGIFFLAGS, asked))
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, INTERFACE.pack(name, flags | IFF_UP))


def _called(function: str, *arguments: int) -> None:
    """os.unshare and os.setns, which come with Python 3.12."""
    if getattr(ctypes.CDLL(None, use_errno=True), function)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")
