"""What all parts of the store share: the client, the lifetimes, the secrets, the scripts."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redis import Redis
from redis.client import Pipeline

from cropsvc.model.limits import Lifetimes
from cropsvc.store.errors import hides_redis
from cropsvc.store.incoming import READ_BACK, Room
from cropsvc.store.keys import LIMIT, SECRET
from cropsvc.store.lua import Lua
from cropsvc.store.objects import Objects

if TYPE_CHECKING:
    from cropsvc.store.rate_limits import RateLimitStorage

SCRIPTS = Path(__file__).with_name("scripts")


@hides_redis
class Base:
    """A client's database, and the scripts that run there."""

    def __init__(
        self,
        client: Redis,
        lifetimes: Lifetimes,
        signing: Iterable[str] = (),
        objects: Objects | None = None,
    ) -> None:
        self.client = client
        self._objects = objects  # where bytes lie, if not in Redis
        self._read_back = Room(READ_BACK)  # memory for uploads in parts
        self._lifetimes = lifetimes
        self._set_secrets = [hashlib.sha256(secret.encode()).digest() for secret in signing]
        self._kept_secrets: list[str] = []
        self._lua = Lua(client, SCRIPTS)

    def secrets(self) -> list[bytes]:
        """Return the secrets that sign ids and cookies: all are accepted, the first one signs.

        They are the setting's, else one that is made once and kept with the data. It is written
        again after a FLUSHALL, within a second of the next request (see `Stats.count`). Processes
        that made different ones accept each other's.
        """
        if self._set_secrets:
            return self._set_secrets
        if not self._kept_secrets:
            self._note_secrets(self._pipeline(self._queue_secrets)[0])
        return [bytes.fromhex(secret) for secret in self._kept_secrets]

    def _queue_secrets(self, pipe: Pipeline) -> None:
        known = self._kept_secrets
        arguments = ["0", *known] if known else ["1", secrets.token_hex(32)]
        self._queue(pipe, "secret", [SECRET], arguments)

    def _note_secrets(self, kept: list[bytes]) -> None:
        self._kept_secrets = [secret.decode() for secret in kept]

    def rate_limit_storage(self) -> "RateLimitStorage":
        """Return where the library `limits` counts, in this database."""
        from cropsvc.store.rate_limits import RateLimitStorage  # only front ends need `limits`

        pool = self.client.connection_pool
        return RateLimitStorage("redis://", connection_pool=pool, key_prefix=LIMIT)

    def _run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        return self._lua.run(script, keys, arguments)

    def _queue(
        self, pipe: Pipeline, script: str, keys: Sequence[str], arguments: Sequence[Any]
    ) -> None:
        self._lua.queue(pipe, script, keys, arguments)

    def _pipeline(self, fill: Callable[[Pipeline], None]) -> list[Any]:
        return self._lua.pipeline(fill)
