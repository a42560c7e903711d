"""The settings: read once from an environment, checked, frozen."""

import hmac
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar

from cropsvc.settings.urls import broker_url, store_url, url_of

T = TypeVar("T")
Network = IPv4Network | IPv6Network

SECRETS = ("REDIS_URL", "BROKER_URL", "API_KEYS", "PASSWORD", "SECRET")  # never shown
CELERY_PACKAGES = ("celery", "msgpack")  # of the optional extra
SIZE_UNITS = {"": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


class ConfigError(Exception):
    """A setting that cannot be used; the words name the variable."""


@dataclass(frozen=True)
class ApiKey:
    """An owner's name and the SHA-256 of its key, in hex."""

    name: str
    sha256: str

    def matches(self, sha256: str) -> bool:
        """Whether *sha256* is this key's, in constant time."""
        return hmac.compare_digest(self.sha256, sha256)


@dataclass(frozen=True)
class Settings:
    """Every knob. Times are seconds, sizes are bytes."""

    port: int = 5000
    dashboard_port: int = 9181
    bind: str = "127.0.0.1"
    workers: int = 1  # worker processes
    web_workers: int = 1  # gunicorn processes
    redis_url: str = field(default="", repr=False)  # empty: `make run` starts an embedded server
    queue: str = "rq"
    broker_url: str = field(default="", repr=False)
    result_ttl: int = 3600
    source_ttl: int = 900
    max_upload: int = 32 * 1024**2
    max_pixels: int = 50_000_000
    max_frames: int = 500
    max_scans: int = 64
    max_side: int = 16_384
    job_timeout: int = 30
    job_memory: int = 1024**3
    queue_cap: int = 1000
    api_keys: tuple[ApiKey, ...] = ()
    rate_limit: str = ""
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    dashboard_user: str = ""
    dashboard_password: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)  # none: made once, kept in the store
    log_format: str = "auto"
    log_level: str = "info"
    otlp_endpoint: str = ""  # where traces go

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """The settings that *environ* asks for; raises ConfigError that names the variable."""
        read = _Reader(environ)
        return cls(
            port=read("PORT", cls.port, _whole(1, 65535)),
            dashboard_port=read("DASHBOARD_PORT", cls.dashboard_port, _whole(1, 65535)),
            bind=read("CROPSVC_BIND", cls.bind, str),
            workers=read("WORKERS", os.cpu_count() or 1, _whole(1, 256)),
            web_workers=read("CROPSVC_WEB_WORKERS", cls.web_workers, _whole(1, 64)),
            redis_url=read("CROPSVC_REDIS_URL", "", store_url),
            queue=read("CROPSVC_QUEUE", cls.queue, _one_of("rq", "celery")),
            broker_url=read("CROPSVC_BROKER_URL", "", broker_url),
            result_ttl=read("CROPSVC_RESULT_TTL", cls.result_ttl, _whole(1, 31 * 86400)),
            source_ttl=read("CROPSVC_SOURCE_TTL", cls.source_ttl, _whole(0, 31 * 86400)),
            max_upload=read("CROPSVC_MAX_UPLOAD", cls.max_upload, _size),
            max_pixels=read("CROPSVC_MAX_PIXELS", cls.max_pixels, _whole(1, 10**9)),
            max_frames=read("CROPSVC_MAX_FRAMES", cls.max_frames, _whole(1, 100_000)),
            max_scans=read("CROPSVC_MAX_SCANS", cls.max_scans, _whole(1, 1000)),
            max_side=read("CROPSVC_MAX_SIDE", cls.max_side, _whole(1, 65_535)),
            job_timeout=read("CROPSVC_JOB_TIMEOUT", cls.job_timeout, _whole(1, 3600)),
            job_memory=read("CROPSVC_JOB_MEMORY", cls.job_memory, _size),
            queue_cap=read("CROPSVC_QUEUE_CAP", cls.queue_cap, _whole(1, 10**6)),
            api_keys=read("CROPSVC_API_KEYS", (), _api_keys),
            rate_limit=read("CROPSVC_RATE_LIMIT", cls.rate_limit, _rate_limit),
            cors_origins=read("CROPSVC_CORS_ORIGINS", (), _origins),
            trusted_proxies=read("CROPSVC_TRUSTED_PROXIES", (), _networks),
            dashboard_user=read("CROPSVC_DASHBOARD_USER", cls.dashboard_user, str),
            dashboard_password=read("CROPSVC_DASHBOARD_PASSWORD", "", str),
            secrets=read("CROPSVC_SECRET", (), _lines),
            log_format=read("CROPSVC_LOG_FORMAT", cls.log_format, _one_of("auto", "text", "json")),
            log_level=read(
                "CROPSVC_LOG_LEVEL", cls.log_level, _one_of("debug", "info", "warning", "error")
            ),
            otlp_endpoint=read("OTEL_EXPORTER_OTLP_ENDPOINT", "", _url("http", "https")),
        )._checked()

    def _checked(self) -> "Settings":
        if self.queue == "celery" and not self.broker_url:
            raise ConfigError("CROPSVC_BROKER_URL is needed when CROPSVC_QUEUE is 'celery'")
        if self.queue == "celery" and not all(map(find_spec, CELERY_PACKAGES)):
            raise ConfigError(
                "CROPSVC_QUEUE='celery' needs packages that are not installed: "
                "pip install -r requirements-celery.txt"
            )
        if bool(self.dashboard_user) != bool(self.dashboard_password):
            raise ConfigError(
                "CROPSVC_DASHBOARD_USER and CROPSVC_DASHBOARD_PASSWORD go together; one is missing"
            )
        return self


class _Reader:
    """Reads NAME, or the file that NAME_FILE points to, through a parser."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __call__(self, name: str, default: T, parse: Callable[[str], T]) -> T:
        text = self._text(name)
        if text is None or text == "":
            return default
        try:
            return parse(text)
        except ValueError as error:
            shown = "(not shown)" if name.endswith(SECRETS) else repr(text)
            raise ConfigError(f"{name}={shown}: {error}") from None

    def _text(self, name: str) -> str | None:
        path = self._environ.get(f"{name}_FILE")
        if not path:
            return self._environ.get(name)
        if self._environ.get(name):
            raise ConfigError(f"{name} and {name}_FILE are both set; set one")
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"{name}_FILE={path!r}: {error.strerror}") from None


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def _size(text: str) -> int:
    match = re.fullmatch(r"(\d{1,12}) ?(|KiB|MiB|GiB)", text)
    if not match or int(match[1]) == 0:
        raise ValueError("must be bytes, or a number with KiB, MiB or GiB, such as 32MiB")
    return int(match[1]) * SIZE_UNITS[match[2]]


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return parse


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        url_of(text, schemes)
        return text

    return parse


def _lines(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, text.splitlines())))


def _api_keys(text: str) -> tuple[ApiKey, ...]:
    keys = []
    for pair in re.split(r"[,\s]+", text.strip()):
        name, _, digest = pair.partition(":")
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", name) or not re.fullmatch(
            r"[0-9a-fA-F]{64}", digest
        ):
            raise ValueError("must be name:sha256-of-key pairs, separated by commas")
        keys.append(ApiKey(name, digest.lower()))
    return tuple(keys)


def _rate_limit(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,8} ?(/|per) ?(second|minute|hour|day)", text):
        raise ValueError("must be such as 100/minute")
    return text


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(re.split(r"[,\s]+", text.strip()))
    for origin in origins:
        if not re.fullmatch(r"https?://[^/\s]+", origin):
            raise ValueError("must be origins such as https://example.org, separated by commas")
    return origins


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(part) for part in re.split(r"[,\s]+", text.strip()))
