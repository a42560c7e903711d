"""What must hold between settings that are right one by one."""

from collections.abc import Mapping
from importlib.util import find_spec

from cropsvc.settings.reader import ConfigError

CELERY_PACKAGES = ("celery", "msgpack")  # of the optional extra
PAIRS = (  # both or none
    ("webhook_secrets", "CROPSVC_WEBHOOK_SECRET", "webhook_hosts", "CROPSVC_WEBHOOK_HOSTS"),
    (
        "dashboard_user", "CROPSVC_DASHBOARD_USER",
        "dashboard_password", "CROPSVC_DASHBOARD_PASSWORD",
    ),
)  # fmt: skip


def check_together(values: Mapping[str, object]) -> None:
    """Raise ConfigError if settings contradict each other; *values* by the names of fields."""
    for one, one_variable, other, other_variable in PAIRS:
        if bool(values[one]) != bool(values[other]):
            raise ConfigError(f"{one_variable} and {other_variable} go together; one is missing")
    _check_blobs(str(values["blobs"]), redirect=bool(values["blob_redirect"]))
    if values["queue"] != "celery":
        return
    if not values["broker_url"]:
        raise ConfigError("CROPSVC_BROKER_URL is needed when CROPSVC_QUEUE is 'celery'")
    if not all(map(find_spec, CELERY_PACKAGES)):
        raise ConfigError(
            "CROPSVC_QUEUE='celery' needs packages that are not installed: "
            "pip install -r requirements/celery.txt"
        )


def _check_blobs(blobs: str, *, redirect: bool) -> None:
    if redirect and blobs.partition(":")[0] not in ("s3", "gs", "az"):
        raise ConfigError("CROPSVC_BLOB_REDIRECT needs CROPSVC_BLOBS with s3://, gs:// or az://")
    if blobs != "redis" and not find_spec("obstore"):
        raise ConfigError(
            f"CROPSVC_BLOBS={blobs!r} needs a package that is not installed: "
            "pip install -r requirements/blobs.txt"
        )
