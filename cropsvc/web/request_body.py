"""Reading a request's body: streamed, counted, whole or not at all.

gunicorn says to Werkzeug that the input ends on its own, so a body that is shorter than announced
would pass as whole, and a chunked one that is too long would be cut silently (decision 18). So
the body is read here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO
from urllib.parse import parse_qsl

from flask import request
from gunicorn.http.errors import ChunkMissingTerminator, NoMoreData, ParseException
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header

from cropsvc.model.errors import BadRequest, IncompleteUpload, TooLarge, UnsupportedFormat
from cropsvc.serving.turns import TinyChunks, TurnStream
from cropsvc.serving.worker import go_ahead
from cropsvc.web.patience import BodyDeadline

READ = 1024 * 1024  # gunicorn receives as much at once and copies the rest at each smaller read
CHUNK_BYTES = 64 * 1024  # of a form, as it is parsed
FORM_ALLOWANCE = 64 * 1024  # bytes a form may have beside its file
MOST_PARTS = 40
LONGEST_FILE_NAME = 120  # characters
MOST_FIELD_BYTES = (
    2 * CHUNK_BYTES
)  # `outputs` may be long; Werkzeug counts its buffer of one chunk too
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Body:
    """A request's image and form fields, in order; None without an image."""

    image: bytes | None
    fields: tuple[tuple[str, str], ...]
    file_name: str = ""


def read_body(limit: int) -> Body:
    """Return the current request's body, whose image has at most *limit* bytes.

    Raises TooLarge before or while reading, IncompleteUpload, BadRequest for a broken form,
    UnsupportedFormat for a type that is no image.
    """
    kind, options = parse_options_header(request.headers.get("Content-Type", ""))
    kind = kind.lower()
    if kind == "multipart/form-data":
        return _form(_read(limit + FORM_ALLOWANCE, limit), options.get("boundary", ""), limit)
    if kind.startswith("image/") or kind == "application/octet-stream":
        return Body(_read(limit, limit), ())
    return _without_picture(kind, _read(limit, limit))


def read_bytes(limit: int) -> bytes:
    """Return the current request's body as it came, at most *limit* bytes.

    Raises TooLarge before or while reading, IncompleteUpload, BadRequest for broken chunks.
    """
    return _read(limit, limit)


def read_form() -> dict[str, str]:
    """Return the fields of a form without files; none for a body of another kind.

    Raises what `read_body` raises.
    """
    kind, _ = parse_options_header(request.headers.get("Content-Type", ""))
    is_form = kind.lower() in (FORM, "multipart/form-data")
    return dict(read_body(FORM_ALLOWANCE).fields) if is_form else {}


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


def _read(most: int, limit: int) -> bytes:
    announced = request.content_length
    if announced is not None and announced > most:
        raise TooLarge(f"the body has {announced} bytes; {limit} are allowed")
    stream: BinaryIO = request.environ["wsgi.input"]
    if announced is None and not request.environ.get("wsgi.input_terminated"):
        return b""
    go_ahead(request.environ)
    data = _drain(stream, most if announced is None else announced, announced, limit)
    if announced is not None and len(data) < announced:
        raise IncompleteUpload(
            f"the body ended after {len(data)} of the {announced} bytes announced"
        )
    return data


def _drain(stream: BinaryIO, most: int, announced: int | None, limit: int) -> bytes:
    parts: list[bytes] = []
    length, patience = 0, BodyDeadline()
    while announced is None or length < announced:
        wanted = READ if announced is None else min(READ, announced - length)
        try:
            with patience.until(length + wanted):
                part = stream.read(wanted)
        except (OSError, NoMoreData, ChunkMissingTerminator) as error:
            raise IncompleteUpload(_broken_off(announced, length)) from error
        except ParseException as error:
            raise _unparsable(error) from error
        if not part:
            break
        parts.append(part)
        length += len(part)
        if length > most:
            raise TooLarge(f"the body has more than the {limit} bytes that are allowed")
    return b"".join(parts)


def _unparsable(error: ParseException) -> BadRequest:
    """Return what a body that gunicorn cannot parse is answered with."""
    tiny = isinstance(error, TinyChunks)
    return BadRequest(str(error) if tiny else "the chunked body is broken")


def _broken_off(announced: int | None, length: int) -> str:
    # gunicorn drops what it has read of a chunked body when that breaks: the count is unknown.
    if announced is None:
        return "the chunked body broke off before its last chunk; send it again"
    return f"the body broke off after {length} of the {announced} bytes announced; send it again"


def _form(data: bytes, boundary: str, limit: int) -> Body:
    if not boundary:
        raise BadRequest("the multipart form names no boundary")
    parser = MultiPartParser(
        stream_factory=lambda *args, **kwargs: BytesIO(),
        buffer_size=CHUNK_BYTES,
        max_form_memory_size=MOST_FIELD_BYTES,
        max_form_parts=MOST_PARTS,
    )
    try:
        fields, files = parser.parse(TurnStream(data), boundary.encode(), len(data))
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
    image, name = _picture(files.items(multi=True), limit)
    return Body(image, tuple(fields.items(multi=True)), name)


def file_name_of(text: str) -> str:
    """Return the last part of a file's name, printable and not too long."""
    last = text.replace("\\", "/").rpartition("/")[2]
    return "".join(filter(str.isprintable, last))[-LONGEST_FILE_NAME:]


def _picture(files: Iterable[tuple[str, FileStorage]], limit: int) -> tuple[bytes | None, str]:
    found = list(files)
    strange = [name for name, _ in found if name != "image"]
    if strange:
        raise BadRequest(f"the file field {strange[0][:64]!r} is not known; send it as 'image'")
    if len(found) > 1:
        raise BadRequest(f"{len(found)} files came in the field 'image'; send one")
    if not found:
        return None, ""
    data: bytes = found[0][1].read()
    if len(data) > limit:
        raise TooLarge(f"the upload has {len(data)} bytes; {limit} are allowed")
    return data, file_name_of(found[0][1].filename or "")
