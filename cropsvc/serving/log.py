"""gunicorn's own lines, in the form of all others."""

from typing import Any

from gunicorn.glogging import Logger


class ServerLog(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Hands gunicorn's messages to the root logger, which `logs.configure` has set up."""

    def setup(self, cfg: Any) -> None:
        """As gunicorn's, without the handlers that would print them its own way."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
