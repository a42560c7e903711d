"""Settings: checked once, with words that name the variable and never show a secret."""

import subprocess
import sys

import pytest

from cropsvc.settings.settings import ApiKey, ConfigError, Settings

DIGEST = "ab" * 32


def test_an_empty_environment_gives_the_contracts_defaults() -> None:
    settings = Settings.from_env({})
    assert (settings.port, settings.dashboard_port, settings.bind) == (5000, 9181, "127.0.0.1")
    assert (settings.result_ttl, settings.source_ttl) == (3600, 900)
    assert (settings.max_upload, settings.max_pixels) == (33_554_432, 50_000_000)
    assert (settings.max_frames, settings.max_scans, settings.max_side) == (500, 64, 16_384)
    assert (settings.job_timeout, settings.job_memory, settings.queue_cap) == (30, 2**30, 1000)
    assert settings.api_keys == ()
    assert (settings.queue, settings.log_format, settings.log_level) == ("rq", "auto", "info")


@pytest.mark.parametrize("name", ["CROPSVC_REDIS_URL", "CROPSVC_BROKER_URL", "CROPSVC_API_KEYS"])
def test_a_wrong_secret_is_not_shown(name: str) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        Settings.from_env({name: "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://h:99999/0", "port"),
        ("redis://h:abc/0", "port"),
        ("redis://h:0/0", "port"),
        ("redis://ann:hunter2/x@h/0", "port"),
        ("redis://:hunter2@[h/0", "host"),
        ("redis://:hunter2\u2100@h/0", "host"),
        ("redis://127.0.0.1:6379/zz", "database"),
        ("redis://127.0.0.1:6379/-1", "database"),
        ("redis://127.0.0.1:6379/0/1", "database"),
        ("redis://127.0.0.1:6379/0?db=-1", "database"),
        ("redis://127.0.0.1:6379/0?socket_timeout=abc", "socket_timeout"),
        ("redis://:hunter2@127.0.0.1:6379/0?foo=bar", "redis-py"),
        ("redis://:a?hunter2=b@127.0.0.1:6379/0", "port"),
        ("redis://h/0?retry=3", "redis-py"),
        ("redis://h/0?decode_responses=1", "redis-py"),
        ("redis://h/0?retry_on_error=TimeoutError", "redis-py"),
        ("redis://h/0?protocol=9", "redis-py"),
        ("redis://h/0?ssl_cert_reqs=none", "redis-py"),
        ("rediss://h/0?ssl_cert_reqs=hunter2", "redis-py"),
        ("unix://", "path"),
    ],
)
def test_a_stores_url_that_no_client_can_use_is_refused(url: str, words: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"^CROPSVC_REDIS_URL=\(not shown\): .*{words}"
    ) as caught:
        Settings.from_env({"CROPSVC_REDIS_URL": url})
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://localhost:6379/",
        "redis://ann:p%2Fw@[::1]:6380/15",
        "redis://h/0?socket_timeout=2.5&health_check_interval=30&client_name=crop",
        "redis://h?db=3",
        "rediss://h:6380/0?ssl_cert_reqs=none&ssl_check_hostname=no",
        "unix:///run/valkey.sock",
        "unix://:pw@/run/valkey.sock?db=2",
    ],
)
def test_a_stores_url_that_redis_py_can_use_is_taken(url: str) -> None:
    assert Settings.from_env({"CROPSVC_REDIS_URL": url}).redis_url == url


@pytest.mark.parametrize("url", ["amqp://h:99999", "amqp://:hunter2/@h//", "amqp://a;http://b"])
def test_a_brokers_url_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^CROPSVC_BROKER_URL") as caught:
        Settings.from_env({"CROPSVC_BROKER_URL": url})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["amqp://u:p@h:5672//", "amqps://h/vhost", "amqp://a:1;amqp://b:2"])
def test_a_brokers_url_that_celery_can_use_is_taken(url: str) -> None:
    assert Settings.from_env({"CROPSVC_BROKER_URL": url}).broker_url == url


def test_settings_load_no_redis_py_for_a_plain_url() -> None:
    code = (
        "import sys; from cropsvc.settings.settings import Settings;"
        "Settings.from_env({'CROPSVC_REDIS_URL': 'redis://:pw@localhost:6379/0'});"
        "print('redis' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"  # the health checks start every few seconds


def test_secrets_are_not_in_the_settings_repr() -> None:
    environ = {
        "CROPSVC_SECRET": "hunter2hunter2",
        "CROPSVC_REDIS_URL": "redis://:hunter2@localhost/0",
        "CROPSVC_DASHBOARD_USER": "ann",
        "CROPSVC_DASHBOARD_PASSWORD": "hunter2",
    }
    assert "hunter2" not in repr(Settings.from_env(environ))


def test_sizes_take_units() -> None:
    assert Settings.from_env({"CROPSVC_MAX_UPLOAD": "5 MiB"}).max_upload == 5 * 1024**2


def test_a_value_is_read_from_its_file(tmp_path) -> None:
    path = tmp_path / "url"
    path.write_text("redis://:pw@localhost/0\n")
    settings = Settings.from_env({"CROPSVC_REDIS_URL_FILE": str(path)})
    assert settings.redis_url == "redis://:pw@localhost/0"


def test_a_value_and_its_file_together_are_refused(tmp_path) -> None:
    path = tmp_path / "secret"
    path.write_text("b")
    with pytest.raises(ConfigError, match="both"):
        Settings.from_env({"CROPSVC_SECRET": "a", "CROPSVC_SECRET_FILE": str(path)})


def test_api_keys_are_pairs_of_name_and_digest() -> None:
    keys = Settings.from_env({"CROPSVC_API_KEYS": f"ann:{DIGEST}, bob:{'CD' * 32}"}).api_keys
    assert keys == (ApiKey("ann", DIGEST), ApiKey("bob", "cd" * 32))
    assert keys[0].matches(DIGEST)
    assert not keys[0].matches("cd" * 32)


def test_settings_that_need_each_other_are_asked_for() -> None:
    with pytest.raises(ConfigError, match="CROPSVC_BROKER_URL"):
        Settings.from_env({"CROPSVC_QUEUE": "celery"})
    with pytest.raises(ConfigError, match="CROPSVC_DASHBOARD_PASSWORD"):
        Settings.from_env({"CROPSVC_DASHBOARD_USER": "ann"})


def test_a_secret_of_several_lines_is_several_secrets() -> None:
    settings = Settings.from_env({"CROPSVC_SECRET": "the new one\n\n the old one \n"})
    assert settings.secrets == ("the new one", "the old one")
