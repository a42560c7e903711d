"""How the text of each setting becomes its value: functions that raise ValueError with the rule."""

import base64
import hmac
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from cropsvc.model.hosts import HostRule
from cropsvc.settings.urls import url_of

Network = IPv4Network | IPv6Network

SIZE_UNITS = {"": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
SHORTEST_SECRET = 8  # characters: shorter ones are guessed in no time
HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]"


@dataclass(frozen=True)
class ApiKey:
    """An owner's name and the SHA-256 of its key, in hex."""

    name: str
    sha256: str

    def matches(self, sha256: str) -> bool:
        """Return whether *sha256* is this key's, in constant time."""
        return hmac.compare_digest(self.sha256, sha256)


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from *low* to *high*."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,12}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def size(least: str = "1") -> Callable[[str], int]:
    """Return a parser of bytes, of *least* or more; it takes the units KiB, MiB and GiB."""
    low = _bytes(least)

    def parse(text: str) -> int:
        if (number := _bytes(text)) < low:
            raise ValueError(f"must be at least {least}")
        return number

    return parse


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d{1,12}) ?(|KiB|MiB|GiB)", text, re.ASCII)
    if not match:
        raise ValueError("must be bytes, or a number with KiB, MiB or GiB, for example 32MiB")
    return int(match[1]) * SIZE_UNITS[match[2]]


def blobs(text: str) -> str:
    """Return `redis`, or the URL of a directory or bucket without a slash at its end."""
    if text == "redis":
        return text
    directory = text.startswith("file:///") and len(text) > len("file:///")
    bucket = re.fullmatch(r"(s3|gs|az)://[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9._/-]*)?", text)
    if not text.isprintable() or ".." in text or "?" in text or not (directory or bucket):
        raise ValueError(
            "must be redis, file:///dir, s3://bucket/prefix, gs://bucket/prefix, "
            "or az://container/prefix"
        )
    return text.rstrip("/")


def toml_file(text: str) -> str:
    """Return the content of a TOML file; *text* is its path."""
    try:
        content = Path(text).read_text(encoding="utf-8")
        tomllib.loads(content)
    except OSError as error:
        raise ValueError((error.strerror or str(error)).lower()) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"must be a TOML file: {error}") from None
    return content


def line(text: str) -> str:
    """Return *text* without change, if it is one line of printable characters."""
    if not text.isprintable():
        raise ValueError("must be one line of printable characters")
    return text


def address(text: str) -> str:
    """Return an IP address, or a host's name; whether it resolves is seen at the start."""
    try:
        return str(ip_address(text))
    except ValueError:
        if re.fullmatch(r"[\d.]+", text, re.ASCII) or not re.fullmatch(HOST, text):
            raise ValueError(
                "must be an IP address, for example 0.0.0.0, or a host's name"
            ) from None
    return text


def url(*schemes: str) -> Callable[[str], str]:
    """Return a parser of URLs with one of these schemes."""

    def parse(text: str) -> str:
        parts = url_of(text, schemes)
        if not parts.hostname or not text.isprintable() or " " in text:
            raise ValueError("must have a host's name or address behind ://")
        return text

    return parse


def secrets(text: str) -> tuple[str, ...]:
    """Return the lines of *text* that hold a secret; the first one signs."""
    found = tuple(filter(None, map(str.strip, text.splitlines())))
    if not found or min(map(len, found)) < SHORTEST_SECRET:
        raise ValueError(
            f"must be {SHORTEST_SECRET} characters or more in each line, "
            "for example the output of `openssl rand -hex 32`"
        )
    return found


def webhook_secrets(text: str) -> tuple[str, ...]:
    """Return the lines of *text*, each a secret of Standard Webhooks."""
    found = tuple(filter(None, map(str.strip, text.splitlines())))
    for secret in found:
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:
            key = b""
        if not secret.startswith("whsec_") or not 24 <= len(key) <= 64:
            raise ValueError("must be lines like whsec_... with 24 to 64 bytes in base64")
    if not found:
        raise ValueError("must be lines like whsec_... with 24 to 64 bytes in base64")
    return found


def api_keys(text: str) -> tuple[ApiKey, ...]:
    """Return the keys of pairs like `name:sha256-of-key`."""
    keys = []
    for pair in _parts(text):
        name, _, digest = pair.partition(":")
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", name) or not re.fullmatch(
            r"[0-9a-fA-F]{64}", digest
        ):
            raise ValueError("must be name:sha256-of-key pairs, separated by commas")
        keys.append(ApiKey(name, digest.lower()))
    return tuple(keys)


def rate_limit(text: str) -> str:
    """Return a limit like `100/minute`."""
    if not re.fullmatch(r"[1-9]\d{0,8} ?(/|per) ?(second|minute|hour|day)", text, re.ASCII):
        raise ValueError("must be a limit like 100/minute")
    return text


def origins(text: str) -> tuple[str, ...]:
    """Return origins as browsers send them: host in lower case, no default port."""
    return tuple(_origin(part) for part in _parts(text))


def _origin(text: str) -> str:
    match = re.fullmatch(rf"(https?)://({HOST})(?::(\d{{1,5}}))?", text, re.ASCII)
    if not match or (match[3] and not 0 < int(match[3]) < 65536):
        raise ValueError(
            "must be origins like https://example.org, separated by commas, without * and path"
        )
    port = "" if match[3] in (None, {"http": "80", "https": "443"}[match[1]]) else f":{match[3]}"
    return f"{match[1]}://{match[2].lower()}{port}"


def hosts(text: str) -> tuple[HostRule, ...]:
    """Return rules for hosts, like `*.example.org` or `h:8080`."""
    return tuple(HostRule.read(part) for part in _parts(text))


def networks(text: str) -> tuple[Network, ...]:
    """Return addresses and networks like `10.0.0.0/8`."""
    try:
        return tuple(ip_network(part) for part in _parts(text))
    except ValueError as error:
        raise ValueError(
            f"must be addresses or networks like 10.0.0.0/8, separated by commas: {error}"
        ) from None


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text) if part]
