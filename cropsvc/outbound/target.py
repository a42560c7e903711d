"""A URL that somebody else gave, parsed once."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

LONGEST_URL = 4096  # characters
PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|[0-9a-f:.]+")


@dataclass(frozen=True)
class Target:
    """Where a URL leads: scheme, host in lower case without a final dot, port, and the rest."""

    scheme: str
    host: str
    port: int
    path: str  # with the query

    @classmethod
    def read(cls, text: str) -> "Target":
        """Return the target of a URL. Raises ValueError with the rule that it breaks."""
        if len(text) > LONGEST_URL or not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError(f"must be ASCII without blanks, at most {LONGEST_URL} characters")
        try:
            parts = urlsplit(text)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            raise ValueError("must be a URL") from None
        if parts.scheme not in PORTS or "\\" in text:
            raise ValueError("must begin with http:// or https://")
        if "@" in parts.netloc:
            raise ValueError("must not have a user or a password")
        if not HOST.fullmatch(host) or len(host) > 253 or port == 0:
            raise ValueError("must have a host's name or address")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme, host, port or PORTS[parts.scheme], path)

    @property
    def url(self) -> str:
        """The whole URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    def after(self, location: str) -> "Target":
        """Return where a redirect leads. Raises ValueError."""
        return Target.read(urljoin(self.url, location))
