"""One line for each request: no query, no header, no body."""

import json
import logging
import sys
import time
from urllib.parse import quote

from flask import Flask, Response, g, request

from cropsvc.config import Settings

log = logging.getLogger("cropsvc.dashboard.access")


class JsonLines(logging.Formatter):
    """Each record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's time (seconds since the epoch), level, logger and words."""
        fields = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields)


def configure(settings: Settings) -> None:
    """Logs to stderr as LOG_FORMAT and LOG_LEVEL say."""
    handler = logging.StreamHandler()
    as_json = settings.log_format == "json" or (
        settings.log_format == "auto" and not sys.stderr.isatty()
    )
    text = logging.Formatter("%(asctime)s %(name)s %(message)s")
    handler.setFormatter(JsonLines() if as_json else text)
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])


def install(app: Flask) -> None:
    """Logs every request of *app*, refused ones too; install it before what refuses."""

    @app.before_request
    def start() -> None:
        g.began = time.monotonic()

    @app.after_request
    def tell(response: Response) -> Response:
        took = (time.monotonic() - g.began) * 1000
        path = quote(request.path)  # a newline in it must not start a line of its own
        log.info("%s %s %d %.0f ms", request.method, path, response.status_code, took)
        return response
