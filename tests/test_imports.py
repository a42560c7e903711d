"""The import rules of docs/design.md, checked from the sources."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LAYERS = [  # each may reach what stands below it, directly or through any helper module
    (
        "wsgi",
        "worker",
        "cropsvc.run.local",
        "cropsvc.cli.main",
        "cropsvc.__main__",
        "cropsvc.dashboard",
    ),
    ("cropsvc.web",),
    ("cropsvc.jobs.service",),
    ("cropsvc.queues",),
    ("cropsvc.cropping.runner",),
    ("cropsvc.cropping.sandbox", "cropsvc.imaging", "cropsvc.store"),
    ("cropsvc.model.errors", "cropsvc.settings.settings"),
]

LIBRARIES = {  # library: the only places that may import it
    "flask": ("wsgi", "cropsvc.web", "cropsvc.dashboard"),
    "werkzeug": ("cropsvc.web", "cropsvc.dashboard"),
    "PIL": ("cropsvc.imaging",),
    "gevent": ("cropsvc.web", "cropsvc.store.gevent_parser"),
    "rq": ("worker", "cropsvc.queues", "cropsvc.dashboard"),
    "celery": ("worker", "cropsvc.queues", "cropsvc.dashboard"),
    "kombu": ("cropsvc.queues",),
    "opentelemetry": ("cropsvc.observability.opentelemetry", "cropsvc.web.tracing"),
    "rq_dashboard": ("cropsvc.dashboard",),
}

KEY = re.compile(r"cropsvc:[a-z{]")

ENVIRONMENT = (
    "wsgi",
    "worker",
    "gunicorn.conf",
    "cropsvc.run.local",
    "cropsvc.dashboard",
    "cropsvc.run.health",
    "cropsvc.cli.main",
)


def sources() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    entries = {name: ROOT / f"{name}.py" for name in ("wsgi", "worker", "gunicorn.conf")}
    inside = {_dotted(path): path for path in (ROOT / "cropsvc").rglob("*.py")}
    return {name: path for name, path in (entries | inside).items() if path.exists()}


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = sources()


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """What a module imports when it runs; what only a type checker sees does not count."""
    return frozenset(_imported(tree(module), module))


def _imported(node: ast.AST, module: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from _from(child, module)
        else:
            yield from _imported(child, module)


def _from(node: ast.ImportFrom, module: str) -> Iterator[str]:
    base = _absolute(node, module)
    for alias in node.names:
        inner = f"{base}.{alias.name}"
        yield inner if inner in MODULES else base


def _absolute(node: ast.ImportFrom, module: str) -> str:
    if not node.level:
        return node.module or ""
    package = MODULES[module].stem == "__init__"
    parts = module.split(".")[: None if package and node.level == 1 else -node.level]
    return ".".join([*parts, *([node.module] if node.module else [])])


@cache
def reached(module: str) -> frozenset[str]:
    """The modules of ours that come along when this one is imported."""
    seen: set[str] = set()
    ahead = [module]
    while ahead:
        for name in imports(ahead.pop()) & MODULES.keys():
            if name not in seen:
                seen.add(name)
                ahead.append(name)
    return frozenset(seen)


def within(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def rank(module: str) -> int | None:
    """The module's layer counted from the top; None for helpers that belong to none."""
    return next((i for i, layer in enumerate(LAYERS) if within(module, layer)), None)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    own = rank(module)
    if own is None:
        return
    above = {name for name in reached(module) if (other := rank(name)) is not None and other < own}
    assert not above


@pytest.mark.parametrize("module", MODULES)
def test_no_module_imports_itself_round_a_corner(module: str) -> None:
    assert module not in reached(module)


@pytest.mark.parametrize("module", MODULES)
def test_libraries_stay_where_they_belong(module: str) -> None:
    used = {name.partition(".")[0] for name in imports(module)}
    astray = {name for name in used & LIBRARIES.keys() if not within(module, LIBRARIES[name])}
    assert not astray


@pytest.mark.parametrize("module", [name for name in MODULES if within(name, ("cropsvc.imaging",))])
def test_imaging_is_pure(module: str) -> None:
    assert all(
        within(name, ("cropsvc.imaging", "cropsvc.model.errors")) for name in reached(module)
    )
    assert not {"redis", "socket", "subprocess"} & imports(module)


@pytest.mark.parametrize("module", MODULES)
def test_only_entry_points_read_the_environment(module: str) -> None:
    if within(module, ENVIRONMENT):
        return
    assert not [ast.unparse(node) for node in ast.walk(tree(module)) if _reads_environment(node)]


def _reads_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom) and node.module == "os":
        return any(alias.name in ("environ", "getenv") for alias in node.names)
    return isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")


@pytest.mark.parametrize("module", MODULES)
def test_only_the_store_spells_a_key_of_ours(module: str) -> None:
    if module == "cropsvc.store.keys":
        return
    texts = [node.value for node in ast.walk(tree(module)) if isinstance(node, ast.Constant)]
    assert not [text for text in texts if isinstance(text, str) and KEY.match(text)]


def test_the_package_itself_imports_nothing() -> None:
    assert imports("cropsvc") == frozenset()


@pytest.mark.skipif("cropsvc.queues.rq.worker" not in MODULES, reason="not there yet")
def test_a_worker_loads_neither_flask_nor_the_web() -> None:
    code = (
        "import sys, cropsvc.queues.rq.worker, cropsvc.cropping.runner;"
        "print([m for m in sys.modules if m == 'flask' or m.startswith('cropsvc.web')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
