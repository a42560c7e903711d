"""The settings: read once from an environment, checked, frozen. A setting is one row here."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial

from cropsvc.model.choices import boolean, one_of
from cropsvc.model.hosts import HostRule
from cropsvc.model.limits import Lifetimes, Limits
from cropsvc.settings import parsers
from cropsvc.settings.cpus import usable_cpus
from cropsvc.settings.parsers import ApiKey, Network, size, whole
from cropsvc.settings.reader import ConfigError, Reader
from cropsvc.settings.rows import ROW, Row, setting
from cropsvc.settings.together import check_together
from cropsvc.settings.urls import broker_url, store_url

__all__ = ["ApiKey", "ConfigError", "Network", "Settings", "rows"]

LEAST_JOB_MEMORY = "128MiB"  # with less every crop fails, or that of a small AVIF; tried
MONTH = 31 * 86400  # seconds

_server = partial(setting, group="Server")
_limit = partial(setting, group="Limits")
_storage = partial(setting, group="Storage and queue")
_security = partial(setting, group="Security")
_cropping = partial(setting, group="Cropping")
_outbound = partial(setting, group="Calls to others")
_observed = partial(setting, group="Observability")


def _web_workers() -> int:
    return max(1, usable_cpus() // 4)


@dataclass(frozen=True)
class Settings:
    """Hold every setting. Times are seconds, sizes are bytes."""

    port: int = _server("PORT", 5000, whole(1, 65535), "Port of the page and the API")
    dashboard_port: int = _server("DASHBOARD_PORT", 9181, whole(1, 65535), "Port of the dashboard")
    workers: int = _server(
        "WORKERS", 1, whole(1, 256), "Worker processes",
        shown_default="number of CPUs; 1 in a container", computed=usable_cpus,
    )  # fmt: skip
    bind: str = _server(
        "CROPSVC_BIND", "127.0.0.1", parsers.address,
        "Address to listen on. A container listens on all of its addresses",
    )  # fmt: skip
    web_workers: int = _server(
        "CROPSVC_WEB_WORKERS", 1, whole(1, 64),
        "Processes of the front end; a container's CPU limit counts as its number of CPUs",
        shown_default="1 up to 4 CPUs, then a quarter of their number", computed=_web_workers,
    )  # fmt: skip

    max_upload: int = _limit(
        "CROPSVC_MAX_UPLOAD", 32 * 1024**2, size(), "Bytes of an upload",
        shown_default="32 MiB",
    )  # fmt: skip
    max_pixels: int = _limit(
        "CROPSVC_MAX_PIXELS", 50_000_000, whole(1, 10**9),
        "Pixels of an image, all frames added up",
    )  # fmt: skip
    max_source_pixels: int = _limit(
        "CROPSVC_MAX_SOURCE_PIXELS",
        400_000_000,
        whole(1, 10**10),
        "Pixels of a JPEG as its header states them; `CROPSVC_MAX_PIXELS` bounds what is decoded "
        "of it",
    )
    max_frames: int = _limit("CROPSVC_MAX_FRAMES", 500, whole(1, 100_000), "Frames of an animation")
    max_scans: int = _limit("CROPSVC_MAX_SCANS", 64, whole(1, 1000), "Scans of a progressive JPEG")
    max_side: int = _limit(
        "CROPSVC_MAX_SIDE", 16_384, whole(1, 65_535), "Pixels of a side of an output"
    )
    job_timeout: int = _limit(
        "CROPSVC_JOB_TIMEOUT", 30, whole(1, 3600), "Seconds of wall-clock time for one crop"
    )
    job_memory: int = _limit(
        "CROPSVC_JOB_MEMORY", 1024**3, size(LEAST_JOB_MEMORY),
        f"Address space of one crop; at least {LEAST_JOB_MEMORY}", shown_default="1 GiB",
    )  # fmt: skip
    queue_cap: int = _limit("CROPSVC_QUEUE_CAP", 1000, whole(1, 10**6), "Jobs that may wait")

    redis_url: str = _storage(
        "CROPSVC_REDIS_URL", "", store_url,
        "`redis://`, `rediss://`, `unix://`, or `redis+sentinel://user:password@host:26379,host:26379"
        "/master-name/0` ([how](docs/howto/scale.md#sentinel)): Redis 6.2, Valkey 7.2, or newer",
        shown_default="embedded", secret=True,
    )  # fmt: skip
    queue: str = _storage(
        "CROPSVC_QUEUE", "rq", one_of("rq", "celery"),
        "`celery` sends the jobs through RabbitMQ 3.10 or newer ([how](docs/howto/celery.md))",
    )  # fmt: skip
    broker_url: str = _storage(
        "CROPSVC_BROKER_URL", "", broker_url, "`amqp://` or `amqps://`; `celery` needs it",
        shown_default="none", secret=True,
    )  # fmt: skip
    result_ttl: int = _storage(
        "CROPSVC_RESULT_TTL", 3600, whole(1, MONTH),
        "Seconds that a job's record and results are kept after it ended",
    )  # fmt: skip
    source_ttl: int = _storage(
        "CROPSVC_SOURCE_TTL", 900, whole(0, MONTH),
        "Seconds that its upload is kept after it ended",
    )  # fmt: skip

    blobs: str = _storage(
        "CROPSVC_BLOBS", "redis", parsers.blobs,
        "Where uploads and results lie: `redis`, `file:///dir`, `s3://bucket/prefix`, "
        "`gs://bucket/prefix` or `az://container/prefix` ([how](docs/howto/object-storage.md)). "
        "Records and queue stay in Redis",
    )  # fmt: skip
    blob_redirect: bool = _storage(
        "CROPSVC_BLOB_REDIRECT", False, boolean,
        "`true`: downloads of results answer 307 with a signed URL that lives 60 s",
        shown_default="`false`",
    )  # fmt: skip

    api_keys: tuple[ApiKey, ...] = _security(
        "CROPSVC_API_KEYS", (), parsers.api_keys,
        "`name:sha256-of-key` pairs, separated by commas. None means that the API is open. "
        "[Make an API key](docs/howto/rotate-secrets.md#make-an-api-key)",
        shown_default="none", secret=True,
    )  # fmt: skip
    rate_limit: str = _security(
        "CROPSVC_RATE_LIMIT", "", parsers.rate_limit,
        "For example `100/minute`. It counts submits, for each owner, or for each address if "
        "no keys are set", shown_default="off",
    )  # fmt: skip
    cors_origins: tuple[str, ...] = _security(
        "CROPSVC_CORS_ORIGINS", (), parsers.origins,
        "Origins whose pages may use the API, separated by commas", shown_default="none",
    )  # fmt: skip
    trusted_proxies: tuple[Network, ...] = _security(
        "CROPSVC_TRUSTED_PROXIES", (), parsers.networks,
        "Addresses or networks of proxies. Their `X-Forwarded-For`, `X-Forwarded-Proto` and "
        "`X-Forwarded-Host` are believed, and nobody else's", shown_default="none",
    )  # fmt: skip
    dashboard_user: str = _security(
        "CROPSVC_DASHBOARD_USER", "", parsers.line,
        "Name for the dashboard. Without name and password the dashboard listens on loopback "
        "only", shown_default="none",
    )  # fmt: skip
    dashboard_password: str = _security(
        "CROPSVC_DASHBOARD_PASSWORD", "", parsers.line, "Password for the dashboard",
        shown_default="none", secret=True,
    )  # fmt: skip
    secrets: tuple[str, ...] = _security(
        "CROPSVC_SECRET", (), parsers.secrets,
        "Signs ids and cookies. Of several lines the first signs, and all are believed",
        shown_default="made once, kept with the data", secret=True,
    )  # fmt: skip

    url_hosts: tuple[HostRule, ...] = _outbound(
        "CROPSVC_URL_HOSTS",
        (),
        parsers.hosts,
        "Hosts from which `url` may fetch: names, `*.example.org`, or `*` for every public host, "
        "each perhaps with a port, separated by commas. None: `url` is off "
        "([how](docs/howto/images-by-url.md))",
        shown_default="none",
    )
    url_networks: tuple[Network, ...] = _outbound(
        "CROPSVC_URL_NETWORKS", (), parsers.networks,
        "Networks that may be called though they are not public, for `url` and webhooks",
        shown_default="none",
    )  # fmt: skip
    url_timeout: int = _outbound(
        "CROPSVC_URL_TIMEOUT", 10, whole(1, 120), "Seconds that a fetch may take in all"
    )
    url_proxy: str = _outbound(
        "CROPSVC_URL_PROXY", "", parsers.url("http", "https"),
        "An egress proxy for fetches and webhooks, which then checks the addresses",
        shown_default="none",
    )  # fmt: skip

    webhook_secrets: tuple[str, ...] = _outbound(
        "CROPSVC_WEBHOOK_SECRET",
        (),
        parsers.webhook_secrets,
        "Signs webhooks: `whsec_` and 24 to 64 bytes in base64. Several lines sign together "
        "([how](docs/howto/webhooks.md))",
        shown_default="none",
        secret=True,
    )
    webhook_hosts: tuple[HostRule, ...] = _outbound(
        "CROPSVC_WEBHOOK_HOSTS", (), parsers.hosts,
        "Hosts that `webhook` may name, as in `CROPSVC_URL_HOSTS`", shown_default="none",
    )  # fmt: skip

    presets: str = _cropping(
        "CROPSVC_PRESETS", "", parsers.toml_file,
        "Path of a TOML file with presets ([how](docs/howto/presets.md))", shown_default="none",
    )  # fmt: skip
    presets_only: bool = _cropping(
        "CROPSVC_PRESETS_ONLY",
        False,
        boolean,
        "`true`: requests may name a preset, and no other cropping parameter",
        shown_default="`false`",
    )

    log_format: str = _observed(
        "CROPSVC_LOG_FORMAT", "auto", one_of("auto", "text", "json"),
        "`text` or `json`; `auto` is text on a terminal",
    )  # fmt: skip
    log_level: str = _observed(
        "CROPSVC_LOG_LEVEL", "info", one_of("debug", "info", "warning", "error"),
        "`debug`, `info`, `warning` or `error`",
    )  # fmt: skip
    otlp_endpoint: str = _observed(
        "OTEL_EXPORTER_OTLP_ENDPOINT", "", parsers.url("http", "https"),
        "A collector of OpenTelemetry traces, for example `http://localhost:4318` "
        "([how](docs/howto/monitor.md))", shown_default="none",
    )  # fmt: skip

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Return the settings that *environ* asks for. Raises ConfigError, in one line."""
        reader = Reader(environ)
        reader.check_names(rows())
        values = {one.name: reader.value(one.metadata[ROW], one.default) for one in fields(cls)}
        check_together(values)
        return cls(**values)  # type: ignore[arg-type]  # each parser gives its field's type

    @property
    def limits(self) -> Limits:
        """The bounds on one upload and on what is made of it."""
        most, source = self.max_pixels, self.max_source_pixels
        return Limits(most, self.max_frames, self.max_scans, self.max_side, source)

    @property
    def lifetimes(self) -> Lifetimes:
        """How long records, results and uploads are kept."""
        return Lifetimes(self.result_ttl, self.source_ttl)

    @property
    def webhooks_on(self) -> bool:
        """Whether clients may ask for webhooks."""
        return bool(self.webhook_secrets and self.webhook_hosts)


def rows() -> tuple[Row, ...]:
    """Return every setting's row, in the order of the reference page."""
    return tuple(one.metadata[ROW] for one in fields(Settings))
