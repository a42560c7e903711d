"""Which hosts may be called: `images.example.com`, `*.example.org:8080`, `*`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

USUAL_PORTS = (80, 443)
RULE = re.compile(
    r"(?P<name>\*|(?:\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?"
)


@dataclass(frozen=True)
class HostRule:
    """One entry of a list of hosts; without a port it stands for the usual ones."""

    name: str
    port: int | None = None

    @classmethod
    def read(cls, text: str) -> "HostRule":
        """Return the rule that *text* is. Raises ValueError."""
        match = RULE.fullmatch(text.lower().rstrip("."))
        port = int(match["port"]) if match and match["port"] else None
        if not match or port == 0 or (port or 0) > 65535:
            raise ValueError(
                f"{text!r} must be a host like images.example.com, *.example.org or *, perhaps "
                "with a port"
            )
        return cls(match["name"].strip("[]"), port)

    def allows(self, host: str, port: int) -> bool:
        """Return whether it allows this host (in lower case) at this port."""
        if port != self.port and (self.port is not None or port not in USUAL_PORTS):
            return False
        if self.name.startswith("*."):
            return host.endswith(self.name[1:])
        return self.name in ("*", host)


def host_allowed(rules: Iterable[HostRule], host: str, port: int) -> bool:
    """Return whether one of *rules* allows this host (in lower case) at this port."""
    return any(rule.allows(host, port) for rule in rules)
