"""How long a request's body may take: a slow client must not keep its place in the queue."""

import time
from contextlib import AbstractContextManager
from typing import cast

import gevent

from cropsvc.model.errors import IncompleteUpload
from cropsvc.store import RESERVATION_SECONDS

GRACE_SECONDS = 30.0  # before the pace counts; a phone's connection may pause
SLOWEST = 16 * 1024  # bytes a second
LONGEST_SECONDS = RESERVATION_SECONDS - 10.0  # the place must still be there at the end


class BodyDeadline:
    """A body's time, which grows with what has come of it; begins now."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def until(self, length: int) -> AbstractContextManager[object]:
        """Raise IncompleteUpload within its block when *length* bytes take too long.

        Under gevent only, as the front end runs; elsewhere it never fires.
        """
        allowed = min(LONGEST_SECONDS, GRACE_SECONDS + length / SLOWEST)
        left = max(0.001, self._began + allowed - time.monotonic())
        error = IncompleteUpload(
            f"the body came too slowly: less than {length} bytes within {allowed:.0f} s"
        )
        return cast(AbstractContextManager[object], gevent.Timeout(left, error))
