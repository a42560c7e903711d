"""Passwords and keys are changed in the running service: no request fails, no old one is left."""

import hashlib

import httpx
import pytest

from tests.compose.project import Project
from tests.stack import until
from tests.web.trickle import trickle

USERS = {
    "web": "web_password",
    "worker": "worker_password",
    "dashboard": "dashboard_redis_password",
    "operator": "operator_password",
}


def passwords(project: Project) -> dict[str, str]:
    return {user: project.secret(file) for user, file in USERS.items()}


def login(project: Project, user: str, password: str) -> str:
    """What Valkey says to a login; logged in with the operator's rights first."""
    return project.valkey("auth", user, password).splitlines()[-1]


def status(project: Project) -> int:
    """What somebody without a key is told."""
    return httpx.get(f"{project.url}/v1/crops/x", timeout=60).status_code


@pytest.mark.timeout(600)  # a minute on a machine that has the time
def test_new_passwords_for_all_users_while_requests_go_on(project: Project) -> None:
    before = passwords(project)
    with trickle(project.url) as told:
        rotated = project.make("rotate")
    assert rotated.returncode == 0, rotated.stdout
    after = passwords(project)
    assert set(told) == {"200"}
    assert told["200"] > 20
    assert {user: login(project, user, after[user]) for user in USERS} == dict.fromkeys(USERS, "OK")
    for user, old in before.items():
        assert login(project, user, old).startswith("WRONGPASS")
    left = {path.name for path in (project.tree / "secrets").iterdir()}
    assert not [name for name in left if name.endswith((".next", ".previous", ".new"))]


def test_a_changed_key_counts_after_reload_and_a_broken_file_changes_nothing(
    project: Project,
) -> None:
    keys = project.tree / "secrets" / "api_keys"
    keys.chmod(0o644)
    keys.write_text(f"somebody:{hashlib.sha256(b'the key').hexdigest()}\n")
    reloaded = project.make("reload")
    with trickle(project.url, {"Authorization": "Bearer the key"}) as told:
        again = project.make("reload")
    refused = httpx.get(f"{project.url}/v1/crops/x", timeout=60).status_code
    keys.write_text("nonsense\n")
    broken = project.make("reload")
    still_refused = httpx.get(f"{project.url}/v1/crops/x", timeout=60).status_code
    keys.write_text("")
    opened = project.make("reload")
    keys.chmod(0o444)

    assert (reloaded.returncode, again.returncode, opened.returncode) == (0, 0, 0)
    assert set(told) <= {"200", "401"}  # the processes of before the first reload let nobody in
    assert broken.returncode != 0
    assert "CROPSVC_API_KEYS" in broken.stdout
    assert (refused, still_refused) == (401, 401)
    until(lambda: status(project) == 404, seconds=30, what="the processes with the key have ended")
