"""A real RabbitMQ for tests: its own node, ports and data, with a virtual host for each stack."""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil

from tests import components
from tests.stack import Part, free_port, until
from tests.vhosts import make_vhost

SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # Debian's wrapper wants a user of its own
MESSAGE_BYTES = 64 * 1024**2
PATIENCE = 240  # seconds; Erlang starts slowly on a busy machine

ELECT = (
    "[ra:trigger_election(amqqueue:get_pid(Q)) || Q <- rabbit_amqqueue:list(), "
    "amqqueue:get_type(Q) =:= rabbit_quorum_queue]."
)

CONF = """\
listeners.tcp.1 = 127.0.0.1:{port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {api_port}
default_user = {user}
default_pass = {password}
max_message_size = {message_bytes}
disk_free_limit.absolute = 50MB
management_agent.disable_metrics_collector = false
collect_statistics_interval = 1000
log.console = true
"""


class _Node(Part):
    """Erlang hangs at its start in a process group without a session of its own."""

    session = True


class Broker:
    """One RabbitMQ node on loopback; can be killed and started again on its data."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port, self._api_port, self._epmd_port = free_port(), free_port(), free_port()
        self._user, self._password = "tests", secrets.token_urlsafe(12)
        found = Path(components.require("rabbitmq"))
        script = SCRIPT if SCRIPT.exists() else found
        log = directory / "rabbitmq.log"
        self.part = _Node("rabbitmq", [str(script)], environ=self._environ(), log=log)

    @property
    def url(self) -> str:
        """The broker's URL; a virtual host's name is to be added."""
        return f"amqp://{self._user}:{self._password}@127.0.0.1:{self.port}/"

    @property
    def api_url(self) -> str:
        """The management API, with its password."""
        return f"http://{self._user}:{self._password}@127.0.0.1:{self._api_port}/api"

    def start(self) -> "Broker":
        """Starts it and waits until it serves."""
        is_again = (self.directory / "mnesia").exists()
        self.part.start()
        self.await_serving()
        if is_again:
            self._elect()
        return self

    def _elect(self) -> None:
        """RabbitMQ 3 on one node may leave a queue without a leader after a crash for good.

        This is the operator's cure (docs/howto/celery.md; rabbitmq-server issue 10070).
        """
        command = [str(SCRIPT.with_name("rabbitmqctl")), "eval", ELECT]
        environ = self._environ()
        subprocess.run(command, env=environ, check=True, capture_output=True, timeout=60)

    def await_serving(self) -> None:
        """Waits until the management API says that the node serves AMQP."""
        until(self._serves, seconds=PATIENCE, what=f"RabbitMQ serves\n{self.part.tail()}")

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Ends the node by a signal to its whole group, and waits for its end."""
        with suppress(ProcessLookupError):
            os.killpg(self.part.pid, number)
        self.part.join(30)

    def stop(self) -> None:
        """Ends the node and what Erlang left running beside it."""
        self.kill()
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("ERL_EPMD_PORT") == str(self._epmd_port):
                    process.kill()
                    process.wait(5)
        shutil.rmtree(self.directory / "mnesia", ignore_errors=True)

    def vhost(self, name: str | None = None) -> str:
        """The URL of a new virtual host with the product's policies."""
        return make_vhost(self.url, self.api_url, name or secrets.token_hex(6))

    def _serves(self) -> bool:
        with suppress(httpx.HTTPError):
            answer = httpx.get(f"{self.api_url}/health/checks/port-listener/{self.port}", timeout=5)
            return answer.status_code == 200
        return False

    def _environ(self) -> dict[str, str]:
        (self.directory / "rabbitmq.conf").write_text(
            CONF.format(
                port=self.port,
                api_port=self._api_port,
                user=self._user,
                password=self._password,
                message_bytes=MESSAGE_BYTES,
            )
        )
        (self.directory / "plugins").write_text("[rabbitmq_management].\n")
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {
            **inherited,
            "HOME": str(self.directory),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": f"tests-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILE": str(self.directory / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.directory / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.directory),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.directory / "config"),
            "RABBITMQ_SCHEMA_DIR": str(self.directory / "schema"),
            "RABBITMQ_PID_FILE": str(self.directory / "pid"),
        }


class QueueView:
    """What RabbitMQ tells of one virtual host's queues."""

    def __init__(self, broker: Broker, url: str) -> None:
        self._base = f"{broker.api_url}/queues/{quote(url.rpartition('/')[2])}"

    def facts(self, queue: str = "cropsvc") -> dict[str, Any]:
        """Type, policy, arguments, messages and message_stats of a queue."""
        answer = httpx.get(f"{self._base}/{queue}", timeout=10)
        answer.raise_for_status()
        return {"messages": -1, "messages_unacknowledged": -1, **answer.json()}  # counted later

    def count(self, what: str, queue: str = "cropsvc") -> int:
        """A counter of message_stats, such as `publish`, `deliver` or `ack`."""
        return int(self.facts(queue).get("message_stats", {}).get(what, 0))

    def names(self) -> set[str]:
        """The queues of the virtual host."""
        return {queue["name"] for queue in httpx.get(self._base, timeout=10).json()}

    def purge(self, queue: str = "cropsvc") -> None:
        """Empties a queue, as an operator may."""
        httpx.delete(f"{self._base}/{queue}/contents", timeout=10).raise_for_status()


@contextmanager
def running(directory: Path) -> Iterator[Broker]:
    """A started broker, stopped at the end."""
    broker = Broker(directory)
    try:
        yield broker.start()
    finally:
        broker.stop()
