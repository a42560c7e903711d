"""Valkey's access rules of the containers cover every key of `store/keys.py`."""

import inspect
import re
import shutil
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from cropsvc.model.job import JobRef
from cropsvc.store import IdempotencyClaim, keys
from tests.stack import ROOT
from tests.store.conftest import job_of

WEB_ONLY = {keys.SECRET, keys.LIMIT, keys.token_key("t")}  # a worker neither signs nor limits
CELERY_ONLY = {keys.WORKERS}
CONSTANTS = {
    value
    for name, value in vars(keys).items()
    if name.isupper() and isinstance(value, str) and name not in ("PREFIX", "EVENTS")
}
ARGUMENTS = {
    "ref": JobRef("ann", "a"),
    "owner": "ann",
    "home": "a",
    "job": job_of("a"),
    "sha256": "0",
    "request": "{}",
    "once": IdempotencyClaim("k", "f"),
    "key": "k",
    "token": "t",
}


def made_keys() -> set[str]:
    """One key of each function of `keys.py`."""
    functions = [
        function
        for name, function in inspect.getmembers(keys, inspect.isfunction)
        if name.endswith(("_key", "_key_of"))
    ]
    assert len(functions) >= 8
    return {
        function(*(ARGUMENTS[name] for name in inspect.signature(function).parameters))
        for function in functions
    }


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The key patterns of each user, as `compose/make-secrets` writes them."""
    home: Path = tmp_path_factory.mktemp("house")
    (home / "compose").mkdir()
    shutil.copy(ROOT / "compose" / "make-secrets", home / "compose")
    subprocess.run([home / "compose" / "make-secrets"], check=True, timeout=60)
    lines = (home / "secrets" / "valkey_acl").read_text().splitlines()
    return {line.split()[1]: re.findall(r"(?<= )~(\S+)", line) for line in lines}


def may(patterns: list[str], key: str) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in patterns)


def test_the_front_end_may_use_every_key(rules: dict[str, list[str]]) -> None:
    denied = {key for key in CONSTANTS | made_keys() if not may(rules["web"], key)}
    assert denied == set()


def test_the_worker_may_use_every_key_but_the_front_ends(rules: dict[str, list[str]]) -> None:
    denied = {key for key in CONSTANTS | made_keys() if not may(rules["worker"], key)}
    assert denied == WEB_ONLY


def test_the_dashboard_may_use_every_key_but_secrets_and_heartbeats(
    rules: dict[str, list[str]],
) -> None:
    denied = {key for key in CONSTANTS | made_keys() if not may(rules["dashboard"], key)}
    assert denied == WEB_ONLY | CELERY_ONLY


def test_a_celery_program_may_use_no_key_of_the_service(rules: dict[str, list[str]]) -> None:
    assert not any(may(rules["program"], key) for key in CONSTANTS | made_keys())
