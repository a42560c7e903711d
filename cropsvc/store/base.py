"""What all parts of the store share: the client, the lifetimes, the secrets, the scripts."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import NoScriptError

from cropsvc.store import scripts
from cropsvc.store.keys import LIMIT, SECRET
from cropsvc.store.model import Lifetimes

ALL_SCRIPTS = (
    scripts.RESERVE,
    scripts.BEGIN,
    scripts.PROGRESS,
    scripts.FINISH,
    scripts.REMOVE,
    scripts.SHARE,
    scripts.ADOPT,
    scripts.PATCH,
    scripts.RELEASE,
    scripts.LASTING,
    scripts.WITHDRAW,
    scripts.ALIVE,
    scripts.BEAT,
)


class Base:
    """A client's database, and the scripts that run there."""

    limit_prefix = LIMIT

    def __init__(self, client: Redis, lifetimes: Lifetimes, signing: Iterable[str] = ()) -> None:
        self.client = client
        self._lifetimes = lifetimes
        self._secrets = [hashlib.sha256(secret.encode()).digest() for secret in signing]
        self._shas: dict[str, str] = {}

    def secrets(self) -> list[bytes]:
        """The secrets of ids and cookies: all are believed, the first one signs.

        They are the setting's, else one that is made once and kept with the data.
        """
        if not self._secrets:
            self.client.set(SECRET, secrets.token_hex(32), nx=True)
            self._secrets = [bytes.fromhex(cast(bytes, self.client.get(SECRET)).decode())]
        return self._secrets

    def _run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        return self._pipeline(lambda pipe: self._queue(pipe, script, keys, arguments))[0]

    def _queue(
        self, pipe: Pipeline, script: str, keys: Sequence[str], arguments: Sequence[Any]
    ) -> None:
        sha = self._shas.get(script)
        if sha is None:
            sha = self._shas[script] = hashlib.sha1(  # noqa: S324 - it is how EVALSHA names scripts
                script.encode()
            ).hexdigest()
        pipe.evalsha(sha, len(keys), *keys, *arguments)

    def _pipeline(self, fill: Callable[[Pipeline], None]) -> list[Any]:
        with self.client.pipeline(transaction=False) as pipe:
            fill(pipe)
            try:
                return pipe.execute()
            except NoScriptError:
                self.load_scripts()
            fill(pipe)
            return pipe.execute()

    def load_scripts(self) -> None:
        """Makes every script known to the server."""
        with self.client.pipeline(transaction=False) as pipe:
            for script in ALL_SCRIPTS:
                pipe.script_load(script)
            pipe.execute()
