"""The shipped Grafana dashboard shows figures that exist."""

import json
import re

import httpx
import pytest

from tests.contract.client import Client
from tests.monitoring.prometheus import ALERTS, SHIPPED, scraping
from tests.stack import Stack

DASHBOARD = json.loads((SHIPPED / "dashboard.json").read_text())
EXPRESSIONS = [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())
]


def test_every_figure_that_rules_and_panels_name_exists(stack: Stack) -> None:
    with Client(stack.url) as api:
        api.get("/docs")
        told = api.get("/metrics").text
    existing = set(re.findall(r"^(cropsvc_\w+)", told, re.MULTILINE))
    text = "\n".join([ALERTS.read_text(), *EXPRESSIONS])
    named = set(re.findall(r"\bcropsvc_\w+", text))
    assert named
    assert named - existing == set()


@pytest.fixture(name="prometheus")
def _prometheus(stack: Stack, require, tmp_path_factory):
    program = require("prometheus")
    httpx.get(f"{stack.url}/docs")
    with scraping(stack.port, program, tmp_path_factory.mktemp("prometheus")) as client:
        client.await_scrapes(3)
        yield client


def test_every_panel_shows_something(prometheus) -> None:
    assert len(EXPRESSIONS) > 15
    for expression in EXPRESSIONS:
        asked = expression.replace("$instance", ".*").replace("$__rate_interval", "1m")
        assert "$" not in asked
        assert prometheus.values(asked), f"no data: {asked}"


def test_the_panels_have_their_own_ids_and_places() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    squares = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(squares)) == len(squares)
    assert max(x for x, _ in squares) == 23  # Grafana's grid is 24 wide
