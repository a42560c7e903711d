"""The process: where it listens, what stops its start, how it ends."""

import socket
from collections.abc import Callable

import httpx
import psutil
import pytest

from tests.dashboard.desk_client import AUTH, LOCKED, OPEN, Dashboard, run_dashboard

NOWHERE = "redis://:hidden@127.0.0.1:1/0"
MakeDashboard = Callable[..., Dashboard]


def listening(dashboard: Dashboard) -> set[str]:
    return {
        connection.laddr.ip
        for process in dashboard.part.tree()
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == dashboard.port
    }


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "crops.example"])
def test_without_a_password_it_listens_on_loopback(
    make_dashboard: MakeDashboard, bind: str
) -> None:
    dashboard = make_dashboard(NOWHERE, CROPSVC_BIND=bind, **OPEN)
    assert listening(dashboard) == {"127.0.0.1"}
    assert f"not on CROPSVC_BIND={bind}" in dashboard.part.tail()


def test_with_a_password_it_listens_on_the_set_address(make_dashboard: MakeDashboard) -> None:
    dashboard = make_dashboard(NOWHERE, CROPSVC_BIND="0.0.0.0", **LOCKED)
    assert listening(dashboard) == {"0.0.0.0"}
    assert httpx.get(dashboard.url).status_code == 401
    assert httpx.get(dashboard.url + "/static/css/main.css", auth=AUTH).status_code == 200


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "CROPSVC_REDIS_URL is needed"),
        ({"CROPSVC_REDIS_URL": NOWHERE, "CROPSVC_DASHBOARD_USER": "admin"}, "one is missing"),
        ({"CROPSVC_REDIS_URL": NOWHERE, "CROPSVC_DASHBOARD_PASSWORD": "x"}, "one is missing"),
        (
            {"CROPSVC_REDIS_URL": NOWHERE, "CROPSVC_DASHBOARD_PASSWORD_FILE": "/nowhere/file"},
            "CROPSVC_DASHBOARD_PASSWORD_FILE",
        ),
        ({"CROPSVC_REDIS_URL": NOWHERE, "DASHBOARD_PORT": "0"}, "DASHBOARD_PORT"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(environ: dict[str, str], words: str) -> None:
    ended = run_dashboard(**environ)
    assert ended.returncode == 1
    assert words in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert "hidden" not in ended.stderr


def test_sigterm_ends_it_and_leaves_nothing(make_dashboard: MakeDashboard) -> None:
    dashboard = make_dashboard(NOWHERE, **LOCKED)
    tree = dashboard.part.tree()
    with httpx.Client(base_url=dashboard.url) as kept_open:
        kept_open.get("/")
        assert dashboard.stop() == 0
    gone, alive = psutil.wait_procs(tree, timeout=5)
    assert (len(gone), alive) == (len(tree), [])


def test_a_killed_master_takes_its_process_along(make_dashboard: MakeDashboard) -> None:
    dashboard = make_dashboard(NOWHERE, **LOCKED)
    tree = dashboard.part.tree()
    dashboard.part.signal(9)
    dashboard.part.join(5)
    gone, alive = psutil.wait_procs(tree, timeout=5)
    assert (len(gone), alive) == (len(tree), [])


def test_slow_clients_do_not_hold_it(make_dashboard: MakeDashboard) -> None:
    dashboard = make_dashboard(NOWHERE, **LOCKED)
    slow = [socket.create_connection(("127.0.0.1", dashboard.port)) for _ in range(50)]
    for connection in slow:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    assert httpx.get(dashboard.url, timeout=3).status_code == 401
    for connection in slow:
        connection.close()
