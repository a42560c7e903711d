"""Answers are read in turns: an origin that sends without a pause must not hold the process.

gevent switches only where a socket has nothing to read, so that no timeout fires before. An origin
that sent `100 Continue` without end, or tiny chunks, held the front end for as long as it liked.
"""

import io
import time
from http.client import HTTPResponse
from typing import Any

TURN_SECONDS = 0.005
BUFFER = 2048  # bytes; what it holds is parsed in one go, larger pieces of a body pass it by


class PatientResponse(HTTPResponse):
    """Reads its socket in turns."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Turns(self.fp.detach()), BUFFER)


class _Turns(io.RawIOBase):
    """A socket's file that lets others run now and then."""

    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__()
        self._raw, self._began = raw, time.monotonic()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() - self._began > TURN_SECONDS:
            time.sleep(0)  # gevent's: it lets other requests run, and timeouts fire
            self._began = time.monotonic()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
