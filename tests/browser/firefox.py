"""Debian's Firefox, driven over Marionette: WebDriver's commands as JSON on a TCP socket.

The protocol is Firefox's own and needs no other program:
https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
"""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.stack import until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element, in WebDriver
START = 60  # seconds; the first start makes a profile
PREFERENCES = {
    "marionette.port": 0,  # any that is free; Firefox writes it into the profile
    "browser.download.folderList": 2,
    "browser.download.useDownloadDir": True,
    "browser.download.always_ask_before_handling_new_types": False,
    "browser.helperApps.neverAsk.saveToDisk": "application/zip",
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}


class Firefox:
    """One window."""

    def __init__(self, port: int, downloads: Path):
        self.downloads = downloads
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self._stream = self._socket.makefile("rb")
        self._count = 0
        self._read()  # its greeting
        self._call("NewSession", {"capabilities": {"alwaysMatch": {}}})

    def open(self, url: str) -> None:
        """Load this page."""
        self._call("Navigate", {"url": url})

    def run(self, script: str) -> Any:
        """What the script returns in the page."""
        return self._call("ExecuteScript", {"script": script, "args": []})["value"]

    def click(self, selector: str) -> None:
        """Click as a hand would: into the middle of what is visible."""
        self._call("ElementClick", {"id": self._find(selector)})

    def type(self, selector: str, text: str) -> None:
        """Type into a field; a file input takes paths, one a line."""
        self._call("ElementSendKeys", {"id": self._find(selector), "text": text})

    def choose(self, selector: str, value: str) -> None:
        """Choose this option of a list."""
        self.click(f"{selector} option[value='{value}']")

    def close(self) -> None:
        """End the connection."""
        self._stream.close()
        self._socket.close()

    def _find(self, selector: str) -> str:
        asked = {"using": "css selector", "value": selector}
        return str(self._call("FindElement", asked)["value"][ELEMENT])

    def _call(self, command: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        message = json.dumps([0, self._count, f"WebDriver:{command}", parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(message), message))
        _, number, error, result = self._read()
        assert (number, error) == (self._count, None), (command, parameters, error)
        return dict(result or {})

    def _read(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            byte = self._stream.read(1)
            assert byte, "Firefox closed the connection"
            length += byte
        return json.loads(self._stream.read(int(length[:-1])))


@contextmanager
def firefox(program: str, directory: Path) -> Iterator[Firefox]:
    """Firefox with a fresh profile in this directory; ended, with all its processes."""
    profile, downloads = directory / "profile", directory / "downloads"
    profile.mkdir()
    downloads.mkdir()
    preferences = PREFERENCES | {"browser.download.dir": str(downloads)}
    lines = (f'user_pref("{name}", {json.dumps(value)});' for name, value in preferences.items())
    (profile / "user.js").write_text("\n".join(lines))
    options = ["--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([program, *options], stdout=log, stderr=log)
    try:
        file = profile / "MarionetteActivePort"
        until(lambda: file.exists() and file.read_text(), seconds=START, what="Firefox listens")
        window = Firefox(int(file.read_text()), downloads)
        yield window
        window.close()
    finally:
        process.terminate()
        process.wait(30)
