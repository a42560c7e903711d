"""One line for each request and each job, as text on a terminal or as JSON for machines.

Everything goes through the standard library's root logger, so that gunicorn's and RQ's own lines
look alike. No value can break a line or reach a terminal's control codes.
"""

import logging
import re
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
MAX_LOG_VALUE = 500  # characters of a value


def configure(kind: str, level: str, stream: TextIO = sys.stderr) -> None:
    """Send all logging to *stream*; *kind* is text, json, or auto: text on a terminal only."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _harmless,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _renderer(kind, stream),
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    # What no line shows need not be collected (Python's logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _renderer(kind: str, stream: TextIO) -> Processor:
    if kind == "json" or (kind == "auto" and not stream.isatty()):
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=stream.isatty())


def _harmless(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {name: _shown(value) for name, value in event.items()}


def _shown(value: object) -> object:
    if not isinstance(value, str):
        return value
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", value)[:MAX_LOG_VALUE]
