"""The messages about jobs that all processes share."""

from collections.abc import Iterator

from cropsvc.store.base import Base
from cropsvc.store.errors import hidden_redis
from cropsvc.store.keys import EVENTS, change_of
from cropsvc.store.model import JobChange

LISTEN_SECONDS = 5.0  # how long to wait for one message


class Events(Base):
    """A subscription to the changes of all jobs."""

    def changes(self) -> Iterator[JobChange | None]:
        """Yield None once subscribed, then each change of a job, and None in quiet times.

        Raises StoreUnavailable. Changes before the first None and after an error are lost.
        """
        with (
            hidden_redis(),
            self.client.pubsub(  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
                ignore_subscribe_messages=True
            ) as pubsub,
        ):
            pubsub.subscribe(EVENTS)
            pubsub.get_message(timeout=1.0)  # the confirmation
            yield None
            while True:
                message = pubsub.get_message(timeout=LISTEN_SECONDS)
                yield change_of(message["data"]) if message else None
