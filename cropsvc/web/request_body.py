"""Reading a request's body: streamed, counted, whole or not at all.

gunicorn says to Werkzeug that the input ends on its own, so a body that is shorter than announced
would pass as whole, and a chunked one that is too long would be cut silently (decision 18). So
the body is read here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl

from flask import request
from gunicorn.http.errors import ChunkMissingTerminator, NoMoreData, ParseException
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header

from cropsvc.model.errors import BadRequest, IncompleteUpload, TooLarge, UnsupportedFormat
from cropsvc.serving.turns import TinyChunks, Turn, TurnStream
from cropsvc.serving.worker import BODY_BYTES, go_ahead
from cropsvc.store import Incoming, Received, in_memory
from cropsvc.web.patience import BodyDeadline

CHUNK_BYTES = 64 * 1024  # of a form, as it is parsed
FORM_ALLOWANCE = 64 * 1024  # bytes a form may have beside its file
MOST_PARTS = 40
LONGEST_FILE_NAME = 120  # characters
MOST_FIELD_BYTES = 2 * CHUNK_BYTES  # for `outputs`; Werkzeug counts its buffer of one chunk too
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Body:
    """A request's image and form fields, in order; None without an image."""

    image: Received | None
    fields: tuple[tuple[str, str], ...]
    file_name: str = ""


def read_body(limit: int, incoming: Incoming) -> Body:
    """Read the current request's body: its image, of at most *limit* bytes, goes to *incoming*.

    Raises TooLarge before or while reading, IncompleteUpload, BadRequest for a broken form,
    UnsupportedFormat for a type that is no image.
    """
    kind, options = parse_options_header(request.headers.get("Content-Type", ""))
    kind = kind.lower()
    if kind == "multipart/form-data":
        pieces = _pieces(limit + FORM_ALLOWANCE, limit)
        return _form(pieces, options.get("boundary", ""), limit, incoming)
    if kind.startswith("image/") or kind == "application/octet-stream":
        for piece in _pieces(limit, limit):
            incoming.write(piece)
        return Body(incoming.received(), ())
    return _without_picture(kind, b"".join(_pieces(limit, limit)))


def read_bytes(limit: int) -> bytes:
    """Return the current request's body as it came, at most *limit* bytes.

    Raises TooLarge before or while reading, IncompleteUpload, BadRequest for broken chunks.
    """
    return b"".join(_pieces(limit, limit))


def read_form() -> dict[str, str]:
    """Return the fields of a form without files; none for a body of another kind.

    Raises what `read_body` raises.
    """
    kind, _ = parse_options_header(request.headers.get("Content-Type", ""))
    is_form = kind.lower() in (FORM, "multipart/form-data")
    return dict(read_body(FORM_ALLOWANCE, in_memory()).fields) if is_form else {}


def _without_picture(kind: str, data: bytes) -> Body:
    if not data:
        return Body(None, ())
    if kind == FORM and len(data) <= FORM_ALLOWANCE and data.isascii() and b"=" in data:
        return Body(None, _urlencoded(data))
    raise UnsupportedFormat(
        f"the Content-Type {kind or '(none)'!r} is not one for an image; "
        "use multipart/form-data, image/* or application/octet-stream"
    )


def _urlencoded(data: bytes) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(data.decode("ascii"), keep_blank_values=True))


def _pieces(most: int, limit: int) -> Iterator[bytes]:
    """Return the body in pieces, whole and of at most *most* bytes, or raise."""
    announced = request.content_length
    if announced is not None and announced > most:
        raise TooLarge(f"the body has {announced} bytes; {limit} are allowed")
    if announced is None and not request.environ.get("wsgi.input_terminated"):
        return
    go_ahead(request.environ)
    length = 0
    for piece in _received(request.environ["wsgi.input"], announced):
        length += len(piece)
        if length > most:
            raise TooLarge(f"the body has more than the {limit} bytes that are allowed")
        yield piece
    if announced is not None and length < announced:
        raise IncompleteUpload(f"the body ended after {length} of the {announced} bytes announced")


def _received(stream: BinaryIO, announced: int | None) -> Iterator[bytes]:
    length, patience, turn = 0, BodyDeadline(), Turn()
    while announced is None or length < announced:
        wanted = BODY_BYTES if announced is None else min(BODY_BYTES, announced - length)
        try:
            with patience.until(length + wanted):
                piece = stream.read(wanted)
        except (OSError, NoMoreData, ChunkMissingTerminator) as error:
            raise IncompleteUpload(_broken_off(announced, length)) from error
        except ParseException as error:
            raise _unparsable(error) from error
        if not piece:
            return
        length += len(piece)
        turn.pass_on()
        yield piece


def _unparsable(error: ParseException) -> BadRequest:
    """Return what a body that gunicorn cannot parse is answered with."""
    tiny = isinstance(error, TinyChunks)
    return BadRequest(str(error) if tiny else "the chunked body is broken")


def _broken_off(announced: int | None, length: int) -> str:
    # gunicorn drops what it has read of a chunked body when that breaks: the count is unknown.
    if announced is None:
        return "the chunked body broke off before its last chunk; send it again"
    return f"the body broke off after {length} of the {announced} bytes announced; send it again"


def _cut(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for at in range(0, len(piece), CHUNK_BYTES):
            yield piece[at : at + CHUNK_BYTES]


class _File:
    """Where the parser writes a file: the first one is the image, further ones are an error."""

    def __init__(self, incoming: Incoming | None) -> None:
        self._incoming = incoming

    def write(self, data: bytes) -> None:
        if self._incoming:
            self._incoming.write(data)

    def seek(self, place: int) -> None:
        """Nobody reads it from here."""


def _form(pieces: Iterator[bytes], boundary: str, limit: int, incoming: Incoming) -> Body:
    if not boundary:
        raise BadRequest("the multipart form names no boundary")
    targets = chain([_File(incoming)], repeat(_File(None)))
    parser = MultiPartParser(
        stream_factory=lambda *args, **kwargs: cast(Any, next(targets)),
        buffer_size=CHUNK_BYTES,
        max_form_memory_size=MOST_FIELD_BYTES,
        max_form_parts=MOST_PARTS,
    )
    try:
        fields, files = parser.parse(cast(Any, TurnStream(_cut(pieces))), boundary.encode(), None)
    except RequestEntityTooLarge as error:
        raise TooLarge(
            f"the form has more than {MOST_PARTS} parts, or a field of over {CHUNK_BYTES} bytes"
        ) from error
    except (ValueError, UnicodeDecodeError) as error:
        raise BadRequest("the multipart form is broken or cut off") from error
    if None in fields or None in files:
        raise BadRequest("a part of the multipart form has no name; name each part")
    if "image" in fields:
        raise BadRequest("no file: the form's part 'image' has no filename, so it is only text")
    name = _file_name(files.items(multi=True))
    if incoming.size > limit:
        raise TooLarge(f"the upload has {incoming.size} bytes; {limit} are allowed")
    image = None if name is None else incoming.received()
    return Body(image, tuple(fields.items(multi=True)), name or "")


def file_name_of(text: str) -> str:
    """Return the last part of a file's name, printable and not too long."""
    last = text.replace("\\", "/").rpartition("/")[2]
    return "".join(filter(str.isprintable, last))[-LONGEST_FILE_NAME:]


def _file_name(files: Iterable[tuple[str, FileStorage]]) -> str | None:
    """Return the name of the one file of a form, as a client may give it; None without a file."""
    found = list(files)
    strange = [name for name, _ in found if name != "image"]
    if strange:
        raise BadRequest(f"the file field {strange[0][:64]!r} is not known; send it as 'image'")
    if len(found) > 1:
        raise BadRequest(f"{len(found)} files came in the field 'image'; send one")
    return file_name_of(found[0][1].filename or "") if found else None
