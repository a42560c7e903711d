"""Waits for the store and the page, while the supervisor keeps its programs running."""

import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from urllib.parse import urlsplit

import redis

from cropsvc.processes.supervisor import Child, Supervisor
from cropsvc.settings.urls import sentinel_url
from cropsvc.store import connection, keys

ANSWER = 10.0  # seconds that a server which is not ours has for its first answer
PATIENCE = 20.0  # seconds until the missing part is named

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever http_proxy says

log = logging.getLogger(__name__)


class StartupTimeout(Exception):
    """What did not answer, and its last error."""


def embedded_store(supervisor: Supervisor, url: str, server: Child) -> None:
    """Wait for our own server, however long its log takes to load.

    Raises StartupTimeout if it ends.
    """

    def give_up(_reason: str) -> None:
        if server.starts > 1:
            raise StartupTimeout(
                "the embedded Valkey ended at its start; see var/valkey/valkey.log"
            )

    _ping(supervisor, url, give_up)


def other_store(supervisor: Supervisor, url: str) -> None:
    """Wait for somebody else's server. Raises StartupTimeout after ANSWER seconds."""
    deadline = time.monotonic() + ANSWER
    place = _place(url)

    def give_up(reason: str) -> None:
        if time.monotonic() > deadline:
            raise StartupTimeout(f"CROPSVC_REDIS_URL: no answer from {place}: {reason}")

    _ping(supervisor, url, give_up)


def _place(url: str) -> str:
    if sentinels := sentinel_url(url):
        return "the master " + sentinels.master
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"


def _ping(supervisor: Supervisor, url: str, give_up: Callable[[str], None]) -> None:
    with connection.plain(url, 1.0) as client:
        while not supervisor.stop_asked:
            try:
                client.ping()
                _check_writable(client)
            except (redis.AuthenticationError, redis.ResponseError) as error:  # for good
                raise StartupTimeout(f"CROPSVC_REDIS_URL: {error}") from None
            except (redis.ConnectionError, redis.TimeoutError) as error:
                give_up(str(error))
                supervisor.tick(0.05)
            else:
                return


def _check_writable(client: redis.Redis) -> None:
    try:
        client.set(keys.PROBE, "1", ex=10)
    except redis.ReadOnlyError:
        raise StartupTimeout(
            "CROPSVC_REDIS_URL: this server is a read-only replica; name its master"
        ) from None
    except redis.OutOfMemoryError:
        log.warning("CROPSVC_REDIS_URL: this server has reached its maxmemory")


def page(supervisor: Supervisor, origin: str) -> bool:
    """Wait for 200 from *origin*'s /readyz. Return False if a signal ended the wait."""
    complain_at = time.monotonic() + PATIENCE
    while not supervisor.stop_asked:
        missing = _missing(f"{origin}/readyz")
        if missing is None:
            return True
        if time.monotonic() > complain_at:
            log.warning("not ready yet: %s", missing)
            complain_at += PATIENCE
        supervisor.tick(0.1)
    return False


def _missing(url: str) -> str | None:
    try:
        with DIRECT.open(url, timeout=1):
            return None
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read(500).decode(errors='replace')}"
    except OSError as error:
        return str(error)
