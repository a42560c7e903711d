"""Lua scripts in files, and the one way to run them."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import NoScriptError

INCLUDE = re.compile(r"^-- include (\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class Script:
    """A script's text, with its includes in place, and the SHA-1 that EVALSHA names it by."""

    text: str
    sha: str


@cache
def scripts_in(folder: Path) -> Mapping[str, Script]:
    """Return every script of *folder* by its file's name without `.lua`."""
    return {path.stem: _script(path) for path in sorted(folder.glob("*.lua"))}


def _script(path: Path) -> Script:
    def included(line: re.Match[str]) -> str:
        return (path.parent / "include" / f"{line[1]}.lua").read_text(encoding="utf-8")

    text = INCLUDE.sub(included, path.read_text(encoding="utf-8"))
    sha = hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 - EVALSHA asks for SHA-1
    return Script(text, sha)


class Lua:
    """Runs the scripts of *folder* on *client*'s server.

    redis-py's `Script` is not used: in a pipeline it sends SCRIPT EXISTS first, one more round
    trip each time (seen in redis-py 8.1, `Pipeline.load_scripts`). Here EVALSHA goes out at once.
    Only a server that does not know a script yet costs a second try.
    """

    def __init__(self, client: Redis, folder: Path) -> None:
        self._client = client
        self._scripts = scripts_in(folder)

    def run(self, name: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Run a script and return its result, in one round trip."""
        call = (self._scripts[name].sha, len(keys), *keys, *arguments)
        try:
            return self._client.evalsha(*call)  # a pipeline of one takes twice the time
        except NoScriptError:
            self.load()
        return self._client.evalsha(*call)

    def queue(
        self, pipe: Pipeline, name: str, keys: Sequence[str], arguments: Sequence[Any]
    ) -> None:
        """Add a script to a pipeline that `pipeline` executes, or to one after `load`."""
        pipe.evalsha(self._scripts[name].sha, len(keys), *keys, *arguments)

    def pipeline(self, fill: Callable[[Pipeline], None]) -> list[Any]:
        """Return the results of the commands that *fill* adds, in one round trip.

        *fill* is called again if the server did not know one of the scripts.
        """
        with self._client.pipeline(transaction=False) as pipe:
            fill(pipe)
            try:
                return pipe.execute()
            except NoScriptError:
                self.load()
            fill(pipe)
            return pipe.execute()

    def load(self) -> None:
        """Make every script known to the server."""
        with self._client.pipeline(transaction=False) as pipe:
            for script in self._scripts.values():
                pipe.script_load(script.text)
            pipe.execute()
