"""Redis clients for the three kinds of process, each with its own timeouts.

redis-py's defaults retry a hung server for up to a minute; a front end must answer sooner.
"""

from typing import Any

from redis import BlockingConnectionPool, ConnectionPool, Redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.connection import HiredisRespSerializer, PythonRespSerializer
from redis.retry import Retry

from cropsvc.settings.settings import ConfigError

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

    pool = BlockingConnectionPool.from_url(
        _needed(url),
        retry=Retry(NoBackoff(), 0),
        socket_timeout=1.0,
        socket_connect_timeout=1.0,
        max_connections=CONNECTIONS,
        timeout=CONNECTION_SECONDS,
        parser_class=IdleParser,
        **PLAIN,
    )
    return Redis.from_pool(pool)


def for_worker(url: str) -> Redis:
    """Return a client that retries for a moment; the worker loop rides out longer outages."""
    return _client(url, _few_retries(), socket_timeout=10.0, socket_connect_timeout=2.0)


def for_crop_process(url: str) -> Redis:
    """Return a client with one connection only, and a worker's timeouts."""
    return _client(
        url, _few_retries(), socket_timeout=10.0, socket_connect_timeout=2.0, single=True
    )


def _few_retries() -> Retry:
    return Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), 3)


def _client(url: str, retry: Retry, *, single: bool = False, **options: Any) -> Redis:
    url = _needed(url)
    return Redis.from_url(url, retry=retry, single_connection_client=single, **options, **PLAIN)


def _needed(url: str) -> str:
    if not url:
        raise ConfigError("CROPSVC_REDIS_URL is needed here; only `make run` brings its own server")
    return url
