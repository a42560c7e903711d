"""Log lines: one each, for machines or people, and harmless whatever is in them."""

import io
import json
import logging

import pytest
import structlog

from cropsvc.observability import logs


@pytest.fixture(autouse=True)
def _restored():
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level


def lines(kind: str, *events: dict) -> list[str]:
    stream = io.StringIO()
    logs.configure(kind, "info", stream)
    for event in events:
        structlog.get_logger("test").info(**event)
    return stream.getvalue().splitlines()


def test_json_lines_hold_the_values() -> None:
    [line] = lines("json", {"event": "request", "path": "/v1/crops", "status": 202})
    told = json.loads(line)
    assert (told["event"], told["path"], told["status"]) == ("request", "/v1/crops", 202)
    assert told["level"] == "info"
    assert told["timestamp"].endswith("Z")


@pytest.mark.parametrize("kind", ["json", "text"])
def test_no_value_breaks_the_line_or_reaches_the_terminal(kind: str) -> None:
    [line] = lines(kind, {"event": "request", "path": "/a\nlevel=error\x1b[31m\u2028\x9b"})
    assert not set(line) & set("\x1b\u2028\x9b")


def test_the_standard_librarys_loggers_look_alike() -> None:
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    logging.getLogger("rq.worker").info("job %s\n", "evil\x1b[31m")
    told = json.loads(stream.getvalue())
    assert told["event"] == "job evil\\x1b[31m\\x0a"


def test_auto_is_json_where_no_terminal_listens() -> None:
    [line] = lines("auto", {"event": "x"})
    assert json.loads(line)["event"] == "x"
