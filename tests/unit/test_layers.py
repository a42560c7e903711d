"""What import-linter cannot say (pyproject.toml has its contracts; `make lint` runs them)."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEY = re.compile(r"cropsvc:[a-z{]")
KEYS = ROOT / "cropsvc" / "store" / "keys.py"


def loaded_with(*modules: str) -> set[str]:
    """What a new process has loaded once it has imported *modules*."""
    code = f"import sys, {', '.join(modules)}; print('\\n'.join(sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_only_the_store_spells_a_redis_key_of_this_service() -> None:
    spelled = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value!r}"
        for path in sorted((ROOT / "cropsvc").rglob("*.py"))
        if path != KEYS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEY.match(node.value)
    ]
    assert spelled == []


def test_no_module_is_longer_than_250_lines() -> None:
    lines = {p: len(p.read_text("utf-8").splitlines()) for p in (ROOT / "cropsvc").rglob("*.py")}
    assert {str(p.relative_to(ROOT)): n for p, n in lines.items() if n > 250} == {}


def test_the_package_itself_loads_nothing() -> None:
    loaded = {name for name in loaded_with("cropsvc") if name.startswith("cropsvc")}
    assert loaded == {"cropsvc"}


def test_a_worker_loads_neither_flask_nor_the_web() -> None:
    loaded = loaded_with("cropsvc.queues.rq.worker", "cropsvc.cropping.runner")
    assert not {name for name in loaded if name == "flask" or name.startswith("cropsvc.web")}


def test_the_crop_process_loads_no_queue_and_no_web() -> None:
    loaded = loaded_with("cropsvc.cropping.sandbox")
    assert not loaded & {"flask", "rq", "celery", "gunicorn", "gevent"}


def test_the_health_check_loads_neither_redis_nor_a_queue() -> None:
    assert not loaded_with("cropsvc.run.health") & {"redis", "rq", "celery", "flask"}
