"""Redis clients for the three kinds of process, each with its own timeouts.

redis-py's defaults retry a hung server for up to a minute; a front end must answer sooner.
"""

from typing import Any

from redis import BlockingConnectionPool, ConnectionPool, Redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.connection import HiredisRespSerializer, PythonRespSerializer
from redis.retry import Retry

from cropsvc.settings.settings import ConfigError
from cropsvc.settings.urls import SentinelUrl, sentinel_url

NO_COPY_ABOVE = 64 * 1024  # bytes of an argument that is worth not copying


class Packing:
    """Packs commands as bytes quickly, and without copying an image.

    hiredis copies every argument: 2 ms for an upload of 1.9 MB.
    """

    def __init__(self) -> None:
        self._small = HiredisRespSerializer()
        encode = ConnectionPool().get_encoder().encode
        self._large = PythonRespSerializer(NO_COPY_ABOVE, encode)

    def pack(self, *arguments: Any) -> list[Any]:
        """Return the command's parts, to be sent one after another."""
        large = any(type(one) is bytes and len(one) > NO_COPY_ABOVE for one in arguments)
        serializer = self._large if large else self._small
        return serializer.pack(*arguments)  # type: ignore[no-any-return]  # redis-py's is untyped


PLAIN: dict[str, Any] = {  # protocol 2 saves RESP3's handshakes
    "protocol": 2,
    "driver_info": None,
    "command_packer": Packing(),
}
CONNECTIONS = 64  # of one front end process; a request that finds none waits for one
CONNECTION_SECONDS = 0.4  # together with one command's second: 503 in 1.5 s


def for_front_end(url: str) -> Redis:
    """Return a client that fails within about a second, so that a request answers 503 in time."""
    from cropsvc.store.gevent_parser import (
        IdleParser,  # gevent takes 4 MB, which workers do without
    )

    options: dict[str, Any] = {
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": 1.0,
        "socket_connect_timeout": 1.0,
        "parser_class": IdleParser,
        **PLAIN,
    }
    bounds: dict[str, Any] = {"max_connections": CONNECTIONS, "timeout": CONNECTION_SECONDS}
    if sentinels := sentinel_url(_needed(url)):
        # redis-py has no pool for Sentinel that waits for a free connection: none is refused.
        return _followed(sentinels, options)
    return Redis.from_pool(BlockingConnectionPool.from_url(url, **bounds, **options))


def for_worker(url: str) -> Redis:
    """Return a client that retries for a moment; the worker loop rides out longer outages."""
    return _client(url, _few_retries(), socket_timeout=10.0, socket_connect_timeout=2.0)


def for_crop_process(url: str) -> Redis:
    """Return a client with one connection only, and a worker's timeouts."""
    return _client(
        url, _few_retries(), socket_timeout=10.0, socket_connect_timeout=2.0, single=True
    )


def plain(url: str, seconds: float) -> Redis:
    """Return a client for a single question, which takes at most *seconds* to connect or answer."""
    times: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    if sentinels := sentinel_url(_needed(url)):
        return _followed(sentinels, {**times, **PLAIN})
    return Redis.from_url(url, **times)


def _few_retries() -> Retry:
    return Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), 3)


def _client(url: str, retry: Retry, *, single: bool = False, **options: Any) -> Redis:
    if sentinels := sentinel_url(_needed(url)):
        return _followed(sentinels, {"retry": retry, **options, **PLAIN})
    return Redis.from_url(url, retry=retry, single_connection_client=single, **options, **PLAIN)


def _followed(url: SentinelUrl, options: dict[str, Any]) -> Redis:
    """Return a client whose every new connection goes to the master of that moment.

    A server that has become a replica ends its clients' connections, or refuses their writes; both
    make redis-py connect again.
    """
    from redis.sentinel import Sentinel

    asked = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}
    sentinel: Any = Sentinel(url.sentinels, sentinel_kwargs=asked)  # type: ignore[no-untyped-call]  # redis-py leaves it so
    client: Redis = sentinel.master_for(
        url.master,
        username=url.username,
        password=url.password,
        db=url.database,
        ssl=url.tls,
        **options,
    )
    return client


def _needed(url: str) -> str:
    if not url:
        raise ConfigError("CROPSVC_REDIS_URL is needed here; only `make run` brings its own server")
    return url
