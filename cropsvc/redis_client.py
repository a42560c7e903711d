"""Redis clients for the three kinds of process, each with the patience that fits it.

redis-py's defaults retry a hung server for up to a minute; a front end must answer sooner.
"""

from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.retry import Retry

CONNECTIONS = 64  # of one front end process


def for_front_end(url: str) -> Redis:
    """Fails within about a second, so that a request can answer 503 in time."""
    return _client(
        url,
        Retry(NoBackoff(), 0),
        socket_timeout=1.0,
        socket_connect_timeout=1.0,
        max_connections=CONNECTIONS,
    )


def for_worker(url: str) -> Redis:
    """Rides out a short hiccup; longer outages are the worker loop's own matter."""
    return _client(url, _few_retries(), socket_timeout=10.0, socket_connect_timeout=2.0)


def for_crop_process(url: str) -> Redis:
    """One connection only, with a worker's patience."""
    return _client(
        url, _few_retries(), socket_timeout=10.0, socket_connect_timeout=2.0, single=True
    )


def _few_retries() -> Retry:
    return Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), 3)


def _client(url: str, retry: Retry, *, single: bool = False, **options: object) -> Redis:
    # RESP2 without driver info saves the handshakes that RESP3 brings; nothing here needs it.
    return Redis.from_url(
        url,
        retry=retry,
        protocol=2,
        driver_info=None,
        single_connection_client=single,
        **options,
    )
