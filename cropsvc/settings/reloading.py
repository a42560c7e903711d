"""The settings of a gunicorn server: its first process reads them, and all others inherit them.

So a file that is wrong, or half written, ends no process that starts while it is wrong.
"""

import logging
import sys
from collections.abc import Callable, Mapping

from cropsvc.settings.settings import ConfigError, Settings

log = logging.getLogger(__name__)


class HeldSettings:
    """The settings read last that were right."""

    def __init__(self) -> None:
        self._settings: Settings | None = None

    def read(
        self, environ: Mapping[str, str], check: Callable[[Settings], object] = lambda _: None
    ) -> Settings:
        """Return the settings as they are now; wrong ones are named, and change nothing.

        *check* may raise a ConfigError too. Ends the program if there are none before.
        """
        try:
            settings = _usable(Settings.from_env(environ))
            check(settings)
            self._settings = settings
        except ConfigError as error:
            if self._settings is None:
                sys.exit(f"cropsvc: {error}")
            log.error("the settings stay as they were: %s", error)
        return self._settings

    def get(self, environ: Mapping[str, str]) -> Settings:
        """Return the settings as they were read last, by this process or the one it comes from."""
        return self._settings or self.read(environ)


def _usable(settings: Settings) -> Settings:
    if not settings.redis_url:
        raise ConfigError("CROPSVC_REDIS_URL is needed: where are the jobs kept?")
    return settings


held_settings = HeldSettings()
