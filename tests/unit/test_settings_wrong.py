"""Every setting with wrong values: each stops the start with one line that names the variable."""

from pathlib import Path

import pytest

from cropsvc.settings.settings import ConfigError, Settings, rows

NUMBERS = ("0", "-1", "1.5", "eight", "1e3", "\u0663", "9999999999999")
SIZES = ("0", "32MB", "-1MiB", "1.5GiB", "many", "1 KiB 2")
WORDS = ("RQ", "yes", "1", "rq,celery")
SECONDS = ("0", "-1", "1.5", "1h", "99999999")
HOSTS = ("127.0.0.1:5000", "300.1.1.1", "1.2.3", "two words", "http://localhost", "under\nline")
WRONG: dict[str, tuple[str, ...]] = {
    "PORT": (*NUMBERS, "65536", "tcp://10.0.0.1:5000"),
    "DASHBOARD_PORT": (*NUMBERS, "65536"),
    "WORKERS": (*NUMBERS, "257"),
    "CROPSVC_BIND": HOSTS,
    "CROPSVC_WEB_WORKERS": (*NUMBERS, "65"),
    "CROPSVC_MAX_UPLOAD": SIZES,
    "CROPSVC_MAX_PIXELS": NUMBERS,
    "CROPSVC_MAX_FRAMES": NUMBERS,
    "CROPSVC_MAX_SOURCE_PIXELS": NUMBERS,
    "CROPSVC_MAX_SCANS": (*NUMBERS, "1001"),
    "CROPSVC_MAX_SIDE": (*NUMBERS, "65536"),
    "CROPSVC_JOB_TIMEOUT": SECONDS,
    "CROPSVC_JOB_MEMORY": (*SIZES, "1", "16MiB", "127MiB"),
    "CROPSVC_QUEUE_CAP": NUMBERS,
    "CROPSVC_REDIS_URL": ("localhost:6379", "http://h", "redis://h:0", "redis://h/x", "unix://"),
    "CROPSVC_QUEUE": WORDS,
    "CROPSVC_BROKER_URL": ("rabbitmq", "http://h", "amqp://h:99999", "amqp://a;http://b"),
    "CROPSVC_RESULT_TTL": SECONDS,
    "CROPSVC_SOURCE_TTL": ("-1", "1.5", "1h", "99999999"),
    "CROPSVC_BLOBS": ("s3", "file://", "file:///", "file://a/b", "ftp://h", "s3://b/../c", "Redis"),
    "CROPSVC_BLOB_REDIRECT": ("yes", "1", "True", "on"),
    "CROPSVC_API_KEYS": ("ann", f"ann:{'a' * 63}", f"Ann B:{'a' * 64}", f"{'a' * 64}:ann", "a:b"),
    "CROPSVC_RATE_LIMIT": ("often", "0/minute", "100", "100/fortnight", "-1/hour"),
    "CROPSVC_CORS_ORIGINS": (
        "https://*", "*", "example.org", "https://example.org/path", "https://ann@example.org",
        "ftp://example.org", "https://example.org:99999", "https://example.org, null",
    ),
    "CROPSVC_TRUSTED_PROXIES": ("proxy", "10.0.0.0/99", "10.0.0.1/8", "*", "10.0.0"),
    "CROPSVC_DASHBOARD_USER": ("a\nb", "a\tb", "\x00", "\u2028x"),
    "CROPSVC_DASHBOARD_PASSWORD": ("a\nb", "a\tb", "\x1b[31m", "\u2028x"),
    "CROPSVC_SECRET": ("x", "1234567", "long enough for all\nshort", "\n"),
    "CROPSVC_URL_HOSTS": ("http://h", "h/path", "h:0", "h:99999", "ex*.org", "a b c/d", "[zz]"),
    "CROPSVC_URL_NETWORKS": ("proxy", "10.0.0.0/99", "10.0.0.1/8", "*"),
    "CROPSVC_URL_TIMEOUT": ("0", "-1", "1.5", "121", "1h"),
    "CROPSVC_URL_PROXY": ("proxy", "ftp://h", "http://h:99999", "socks5://h"),
    "CROPSVC_WEBHOOK_SECRET": ("secret", "whsec_", "whsec_!!!", "whsec_YWJj", "\n"),
    "CROPSVC_WEBHOOK_HOSTS": ("http://h", "h/path", "h:0", "h:99999"),
    "CROPSVC_PRESETS": ("/nowhere/at/all.toml", "/", "pyproject", __file__),
    "CROPSVC_PRESETS_ONLY": ("yes", "1", "True", "on"),
    "CROPSVC_LOG_FORMAT": ("JSON", "xml", "1", "text,json"),
    "CROPSVC_LOG_LEVEL": ("INFO", "loud", "10", "warn"),
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("collector", "ftp://h", "http://h:99999", "http:// h", "http://"),
}  # fmt: skip


def test_every_setting_has_four_wrong_values() -> None:
    assert {name for name, values in WRONG.items() if len(values) >= 4} == {
        row.variable for row in rows()
    }


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_stops_the_start_with_one_line(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({name: value})
    words = str(caught.value)
    assert words.startswith(f"{name}=")
    assert words.isprintable()
    secret = next(row.secret for row in rows() if row.variable == name)
    assert ("(not shown)" in words) == secret
    assert secret or repr(value) in words


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CROPSVC_MAX_UPLAOD", "CROPSVC_MAX_UPLOAD"),
        ("CROPSVC_RESULTS_TTL", "CROPSVC_RESULT_TTL"),
        ("CROPSVC_SECRET_FIEL", "CROPSVC_SECRET_FILE"),
        ("CROPSVC_MAX_PIXEL", "CROPSVC_MAX_PIXELS"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_nearest_name(name: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name}: .*{meant}\b"):
        Settings.from_env({name: "1"})


@pytest.mark.parametrize("name", ["CROPSVC_WORKERS_PORT", "CROPSVC_FROBNICATE", "CROPSVC_PORT"])
def test_an_unknown_setting_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: there is no such setting"):
        Settings.from_env({name: "8000"})


def test_what_kubernetes_says_of_its_services_passes() -> None:
    environ = {
        "CROPSVC_PORT": "tcp://10.0.0.1:5000",
        "CROPSVC_PORT_5000_TCP": "tcp://10.0.0.1:5000",
        "CROPSVC_PORT_5000_TCP_ADDR": "10.0.0.1",
        "CROPSVC_PORT_5000_TCP_PORT": "5000",
        "CROPSVC_PORT_5000_TCP_PROTO": "tcp",
        "CROPSVC_SERVICE_HOST": "10.0.0.1",
        "CROPSVC_SERVICE_PORT": "5000",
        "CROPSVC_SERVICE_PORT_HTTP": "5000",
        "CROPSVC_DASHBOARD_PORT": "tcp://10.0.0.2:9181",
        "CROPSVC_VALKEY_SERVICE_HOST": "10.0.0.3",
    }
    assert Settings.from_env(environ).port == 5000


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\xfe\x00binary", "UTF-8"), (b"x" * (1024**2 + 1), "larger than")],
    ids=["binary", "huge"],
)
def test_a_file_without_a_usable_value_is_refused(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"^CROPSVC_SECRET_FILE=.*{words}"):
        Settings.from_env({"CROPSVC_SECRET_FILE": str(path)})


@pytest.mark.parametrize("path", ["/nowhere/at/all", "/", "a\x00b"])
def test_an_unreadable_settings_file_stops_the_start_with_one_line(path: str) -> None:
    with pytest.raises(ConfigError, match=r"^CROPSVC_SECRET_FILE=") as caught:
        Settings.from_env({"CROPSVC_SECRET_FILE": path})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://Example.ORG", ("https://example.org",)),
        ("https://example.org:443,http://h:80", ("https://example.org", "http://h")),
        (
            "http://localhost:3000\nhttp://[::1]:8000",
            ("http://localhost:3000", "http://[::1]:8000"),
        ),
    ],
)
def test_origins_are_kept_as_browsers_send_them(given: str, kept: tuple[str, ...]) -> None:
    assert Settings.from_env({"CROPSVC_CORS_ORIGINS": given}).cors_origins == kept


def test_a_redirect_needs_a_store_that_signs_urls() -> None:
    with pytest.raises(ConfigError, match=r"CROPSVC_BLOB_REDIRECT needs CROPSVC_BLOBS with s3://"):
        Settings.from_env({"CROPSVC_BLOB_REDIRECT": "true", "CROPSVC_BLOBS": "file:///srv"})
