"""Virtual hosts of a running RabbitMQ, each with the product's own policies."""

import json
from pathlib import Path
from typing import Any

import httpx

DEFINITIONS = Path(__file__).resolve().parents[1] / "compose" / "rabbitmq" / "definitions.json"


def make_vhost(url: str, api_url: str, name: str) -> str:
    """Makes a virtual host with the policies of compose/rabbitmq/; gives its URL."""
    with httpx.Client(base_url=api_url, timeout=30) as api:
        api.put(f"/vhosts/{name}").raise_for_status()
        user = httpx.URL(api_url).username
        every = {"configure": ".*", "write": ".*", "read": ".*"}
        api.put(f"/permissions/{name}/{user}", json=every).raise_for_status()
        api.post(f"/definitions/{name}", json=_definitions()).raise_for_status()
    return url + name


def _definitions() -> dict[str, Any]:
    """The product's own, without the virtual host that they name."""
    found = json.loads(DEFINITIONS.read_text(encoding="utf-8"))
    return {
        kind: [{k: v for k, v in one.items() if k != "vhost"} for one in found[kind]]
        for kind in ("policies", "queues")
    }
