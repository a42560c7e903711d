"""Delivers webhooks until SIGTERM. SIGHUP reads the settings, and so the secrets, again."""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402 - gevent must put its parts in place first
import signal  # noqa: E402
import sys  # noqa: E402

import gevent  # noqa: E402

from cropsvc.observability import logs  # noqa: E402
from cropsvc.settings.reloading import held_settings  # noqa: E402
from cropsvc.store import Store, connection  # noqa: E402
from cropsvc.webhooks.courier import Courier  # noqa: E402


def main() -> None:
    """Run until a signal asks for the end."""
    settings = held_settings.read(os.environ)
    logs.configure(settings.log_format, settings.log_level)
    if not settings.webhooks_on:
        sys.exit("cropsvc: webhooks are off; set CROPSVC_WEBHOOK_SECRET and CROPSVC_WEBHOOK_HOSTS")
    store = Store(connection.for_front_end(settings.redis_url), settings.lifetimes)
    courier = Courier(store, settings)
    gevent.signal_handler(signal.SIGTERM, courier.stop)
    gevent.signal_handler(signal.SIGINT, courier.stop)
    gevent.signal_handler(signal.SIGHUP, lambda: _reload(courier))
    courier.run()


def _reload(courier: Courier) -> None:
    courier.settings = held_settings.read(os.environ)


if __name__ == "__main__":
    main()
