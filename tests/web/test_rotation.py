"""Keys and secrets are changed while requests go on, and none of these fails."""

import hashlib
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

from tests import pictures
from tests.contract.client import Client, problem
from tests.dashboard.desk_client import Dashboard
from tests.stack import Stack, until
from tests.web.trickle import trickle

MakeStack = Callable[..., Stack]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def pairs(*keys: str) -> str:
    return "".join(f"alice:{hashlib.sha256(key.encode()).hexdigest()}\n" for key in keys)


def status(stack: Stack, key: str) -> int:
    """What the holder of *key* is told of a job that never was, on a connection of its own."""
    return httpx.get(f"{stack.url}/v1/crops/x", headers=bearer(key)).status_code


def front_ends(stack: Stack) -> set[int]:
    """The processes that serve."""
    return {process.pid for process in stack.web.tree()[1:]}


def read_again(stack: Stack) -> None:
    """Has the front end read its settings again, and waits until its old processes are gone."""
    before = front_ends(stack)
    stack.web.signal(signal.SIGHUP)
    until(
        lambda: (now := front_ends(stack)) and not now & before,
        seconds=45,
        what="new processes serve and the old ones have ended",
    )


def test_an_api_key_is_changed_under_requests(make_stack: MakeStack, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(pairs("old"))
    stack = make_stack(workers=1, web_workers=2, api_keys_file=keys)
    with trickle(stack.url, bearer("old")) as told:
        keys.write_text(pairs("old", "new"))
        read_again(stack)
        assert (status(stack, "old"), status(stack, "new")) == (404, 404)
    with trickle(stack.url, bearer("new")) as also_told:
        keys.write_text(pairs("new"))
        read_again(stack)
        assert (status(stack, "old"), status(stack, "new")) == (401, 404)
    assert set(told + also_told) == {"200"}
    assert told["200"] > 10


def test_a_broken_file_ends_no_process_that_is_starting(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.write_text(pairs("old"))
    stack = make_stack(workers=1, api_keys_file=keys)
    keys.write_text("nonsense\n")

    for process in front_ends(stack):  # killed: gunicorn starts another
        psutil.Process(process).kill()
    assert (status(stack, "old"), status(stack, "no key")) == (404, 401)
    read_again(stack)
    assert (status(stack, "old"), status(stack, "no key")) == (404, 401)
    keys.write_text(pairs("new"))
    read_again(stack)
    assert (status(stack, "old"), status(stack, "new")) == (401, 404)


def test_ids_and_cookies_of_the_secret_before_are_still_believed(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    secret, key = tmp_path / "secret", "alices key"
    secret.write_text("the first one")
    stack = make_stack(
        workers=1, result_ttl=1, source_ttl=1, api_keys=pairs(key).strip(), secret_file=secret
    )
    with Client(stack.url, headers=bearer(key)) as api, httpx.Client(base_url=stack.url) as page:
        assert page.post("/login", data={"key": key}).status_code == 303
        expired = api.crop(pictures.png())["links"]["self"]
        until(lambda: api.get(expired).status_code != 200, seconds=10, what="the job expires")
        problem(api.get(expired), 410, "expired")

        secret.write_text("the second one\nthe first one\n")
        read_again(stack)
        problem(api.get(expired), 410, "expired")
        assert page.get("/").status_code == 200
        signed_anew = api.crop(pictures.png(41, 20))["links"]["self"]

        secret.write_text("the second one\n")
        read_again(stack)
        problem(api.get(expired), 404, "not-found")
        assert page.get(expired).status_code == 401
        until(lambda: api.get(signed_anew).status_code != 200, seconds=10, what="it expires")
        problem(api.get(signed_anew), 410, "expired")


def test_the_dashboards_password_is_changed_without_a_restart(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("first")
    dashboard = Dashboard(
        tmp_path,
        "redis://127.0.0.1:1/0",
        CROPSVC_DASHBOARD_USER="admin",
        CROPSVC_DASHBOARD_PASSWORD_FILE=str(password),
    ).start()

    def told(password: str) -> int:
        asset = f"{dashboard.url}/static/css/main.css"
        return httpx.get(asset, auth=("admin", password)).status_code

    try:
        assert (told("first"), told("second")) == (200, 401)
        pid = dashboard.part.pid
        password.write_text("second")
        dashboard.part.signal(signal.SIGHUP)
        until(lambda: told("second") == 200, seconds=15, what="the new password counts")
        until(lambda: told("first") == 401, seconds=15, what="the old one no longer does")
        password.write_text("")
        dashboard.part.signal(signal.SIGHUP)
        until(
            lambda: "the settings stay as they were" in dashboard.part.tail(),
            seconds=15,
            what="a wrong one is named",
        )
        assert told("second") == 200
        assert dashboard.part.running
        assert dashboard.part.pid == pid
    finally:
        dashboard.stop()
