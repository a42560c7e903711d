"""A form with an image, sent piece by piece."""

import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 64 * 1024
File = bytes | str | os.PathLike[str] | BinaryIO
Sent = Callable[[int], object]


@dataclass(frozen=True)
class Upload:
    """A request's body: its type, its length in bytes, and its parts."""

    content_type: str
    length: int
    parts: Callable[[], Iterator[bytes]]


def content_of(file: File) -> tuple[str, bytes]:
    """Return a file's name and bytes. Raises OSError."""
    if isinstance(file, bytes):
        return "image", file
    if isinstance(file, str | os.PathLike):
        return Path(file).name, Path(file).read_bytes()
    return os.path.basename(str(getattr(file, "name", "image"))), file.read()


def form(
    name: str, data: bytes | None, fields: Sequence[tuple[str, str]], on_bytes: Sent
) -> Upload:
    """Return a form with these fields, and the image if there is one.

    *on_bytes* receives the number of the image's bytes that were sent.
    """
    boundary = secrets.token_hex(16)
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields
    ).encode()
    tail = f"--{boundary}--\r\n".encode()
    if data is not None:
        head += _file_head(boundary, name)
        tail = b"\r\n" + tail

    def parts() -> Iterator[bytes]:
        yield head
        for start in range(0, len(data or b""), CHUNK_BYTES):
            piece = (data or b"")[start : start + CHUNK_BYTES]
            yield piece
            on_bytes(start + len(piece))
        yield tail

    length = len(head) + len(data or b"") + len(tail)
    return Upload(f"multipart/form-data; boundary={boundary}", length, parts)


def json_body(value: object) -> Upload:
    """Return *value* as JSON."""
    data = json.dumps(value).encode()
    return Upload("application/json", len(data), lambda: iter([data]))


def _file_head(boundary: str, name: str) -> bytes:
    shown = name.encode("ascii", "replace").decode().translate({ord(c): "_" for c in '"\\\r\n'})
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{shown}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()


def field_text(value: object) -> str:
    """Return a parameter's value as the API writes it.

    Booleans are `true` and `false`, a tuple is joined by commas, lists and mappings are JSON.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return json.dumps(value) if isinstance(value, list | dict) else str(value)
