"""Which URLs a client of the store, or of the broker, can use: checked at the start, not later.

A URL holds a password, and a password may hold any character: no message shows a part of one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

SENTINEL_SCHEMES = ("redis+sentinel", "rediss+sentinel")
SENTINEL_PORT = 26379
SENTINEL = re.compile(
    r"(?:(?P<credentials>[^@/]*)@)?(?P<hosts>[^@/?#]+)/(?P<master>[^/?#]+)(?:/(?P<database>\d{1,9}))?/?"
)
DATABASE = re.compile(r"/?|/\d{1,9}/?")
TEXTS = frozenset({"username", "password", "client_name"})  # options beside those it converts
NO_TEXTS = frozenset({"retry_on_error"})  # classes, which redis-py would take for letters
INVALID = re.compile(r"Invalid value for '\w+'")  # redis-py's message for an option that it knows
UNUSABLE = "has an option behind ? that redis-py cannot use"


def url_of(text: str, schemes: tuple[str, ...]) -> SplitResult:
    """Return the URL's parts, with one of these schemes, a host and a port. Raises ValueError."""
    if text.partition("://")[0] not in schemes or "://" not in text:
        raise ValueError(f"must be a URL that starts with {' or '.join(schemes)}://")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError("must have a host's name or address behind ://") from None
    if not _is_port(parts):
        raise ValueError("must have a port from 1 to 65535, or none")
    return parts


@dataclass(frozen=True)
class SentinelUrl:
    """Sentinels, the master that they watch, and what a connection to that master needs."""

    sentinels: tuple[tuple[str, int], ...]
    master: str
    username: str | None
    password: str | None
    database: int
    tls: bool


def sentinel_url(text: str) -> SentinelUrl | None:
    """Return the parts of `redis+sentinel://[user:password@]host:port,host:port/master/db`.

    None for a URL of another kind. Raises ValueError.
    """
    scheme, _, rest = text.partition("://")
    if scheme not in SENTINEL_SCHEMES:
        return None
    match = SENTINEL.fullmatch(rest)
    if not match:
        raise ValueError(
            "must be like redis+sentinel://user:password@host:26379,host:26379/master-name/0"
        )
    hosts = [_host_and_port(one) for one in match["hosts"].split(",")]
    user, _, password = (match["credentials"] or "").partition(":")
    return SentinelUrl(
        tuple(hosts),
        unquote(match["master"]),
        unquote(user) or None,
        unquote(password) or None,
        int(match["database"] or 0),
        scheme == "rediss+sentinel",
    )


def _host_and_port(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?", text)
    if not match or not 0 < int(match[2] or SENTINEL_PORT) < 65536:
        raise ValueError("must have sentinels like host:26379, with commas between them")
    return match[1].strip("[]"), int(match[2] or SENTINEL_PORT)


def store_url(text: str) -> str:
    """Return the URL, if redis-py can use it. Raises ValueError."""
    if sentinel_url(text):
        return text
    parts = url_of(text, ("redis", "rediss", "unix"))
    if parts.scheme == "unix" and not parts.path:
        raise ValueError("must have the path of a socket behind unix://")
    if parts.scheme != "unix" and not DATABASE.fullmatch(parts.path):
        raise ValueError("must end in the number of a database, for example /0, or in none")
    if parts.query:
        _check_options(text, parse_qs(parts.query))
    return text


def broker_url(text: str) -> str:
    """Return the URL, or several with a semicolon between. Raises ValueError."""
    for one in text.split(";"):
        url_of(one, ("amqp", "amqps"))
    return text


def _is_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _check_options(text: str, names: Iterable[str]) -> None:
    from redis import ConnectionPool, RedisError  # 0.15 s, which a health check has no use for
    from redis.connection import URL_QUERY_ARGUMENT_PARSERS

    known = TEXTS | URL_QUERY_ARGUMENT_PARSERS.keys() - NO_TEXTS
    if any(name not in known and not name.startswith("ssl_") for name in names):
        raise ValueError(UNUSABLE)
    try:
        pool = ConnectionPool.from_url(text)
        pool.make_connection()  # which connects to nothing yet
    except (TypeError, ValueError, RedisError) as error:
        named = INVALID.match(str(error))
        raise ValueError(named[0] if named else UNUSABLE) from None
    if pool.connection_kwargs.get("db", 0) < 0:
        raise ValueError("must have a database from 0 up")
