"""A real Prometheus that scrapes a stack each second, with the rules as they are shipped."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.stack import ROOT, Part, free_port, until

SHIPPED = ROOT / "docs" / "monitoring"
ALERTS = SHIPPED / "alerts.yml"
BRISK = "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"


class Prometheus(httpx.Client):
    """Asks a Prometheus by its API."""

    def values(self, expression: str) -> list[float]:
        """The values of the series that *expression* gives now."""
        result = self._asked("query", query=expression)["result"]
        return [float(series["value"][1]) for series in result]

    def rules(self) -> list[dict[str, Any]]:
        """The alerts' rules, with how their last evaluation went."""
        return [rule for group in self._asked("rules")["groups"] for rule in group["rules"]]

    def firing(self) -> set[str]:
        """The names of the alerts that fire now."""
        alerts = self._asked("alerts")["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def await_firing(self, name: str, seconds: float = 20) -> None:
        """Waits until this alert fires."""
        until(lambda: name in self.firing(), seconds=seconds, what=f"{name} fires")

    def await_scrapes(self, count: int, seconds: float = 30) -> None:
        """Waits until so many scrapes succeeded."""
        enough = f"count_over_time(cropsvc_redis_up[5m]) >= {count}"
        until(lambda: self.values(enough), seconds=seconds, what=f"{count} scrapes")

    def _asked(self, what: str, **query: str) -> Any:
        answer = self.get(f"/api/v1/{what}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


@contextmanager
def scraping(port: int, program: str, directory: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes 127.0.0.1:*port* until it is left."""
    _write_config(port, directory)
    address = f"127.0.0.1:{free_port()}"
    command = [
        program,
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={address}",
    ]
    part = Part("prometheus", command, environ=dict(os.environ), log=directory / "prometheus.log")
    part.start()
    try:
        with Prometheus(base_url=f"http://{address}", timeout=10) as client:
            until(lambda: _is_ready(client), seconds=30, what=f"it is ready\n{part.tail()}")
            yield client
    finally:
        part.signal(15)
        part.join(20)


def _write_config(port: int, directory: Path) -> None:
    """The shipped files, without the times for which a condition must hold."""
    config = (SHIPPED / "prometheus.yml").read_text().replace("localhost:5000", f"127.0.0.1:{port}")
    config = re.sub(r"\n +scrape_interval: 15s", "", config)
    (directory / "prometheus.yml").write_text(BRISK + config)
    rules = re.sub(r"\n +for: \d+m", "", ALERTS.read_text())
    (directory / "alerts.yml").write_text(rules)


def _is_ready(client: Prometheus) -> bool:
    try:
        return client.get("/-/ready").status_code == 200
    except httpx.TransportError:
        return False
