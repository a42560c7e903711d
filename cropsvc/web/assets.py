"""The page's own files under `/static/`: text travels compressed.

Only these files are compressed. They are the same for everybody, so the length of the compressed
answer gives nothing away (BREACH). Answers of the API and pages of jobs are never compressed.
"""

import gzip
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.http import http_date
from werkzeug.security import safe_join

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Packed:
    """One file, compressed."""

    data: bytes
    tag: str


def install(app: Flask) -> None:
    """Make *app* answer its static text files compressed, to clients that take gzip."""

    def static(filename: str) -> Response:
        content_type = TYPES.get(Path(filename).suffix)
        if content_type is None:
            return app.send_static_file(filename)
        path = safe_join(str(app.static_folder), filename)
        takes = request.accept_encodings.quality("gzip") > 0 and "Range" not in request.headers
        if takes and path is not None and Path(path).is_file():
            response = _compressed(Path(path), content_type)
        else:
            response = app.send_static_file(filename)
        response.vary.add("Accept-Encoding")
        return response

    app.view_functions["static"] = static


def _compressed(path: Path, content_type: str) -> Response:
    changed = path.stat().st_mtime
    packed = _packed(path, changed)
    response = Response(packed.data, content_type=f"{content_type}; charset=utf-8")
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = "no-cache"  # as Flask: kept, and asked about by its ETag
    response.headers["Last-Modified"] = http_date(changed)
    response.set_etag(packed.tag)
    response.make_conditional(request)
    return response


@lru_cache(maxsize=256)
def _packed(path: Path, changed: float) -> Packed:
    """Return the file as it is since *changed*; each is compressed once in a process."""
    data = gzip.compress(path.read_bytes(), 9, mtime=0)
    return Packed(data, sha256(data).hexdigest()[:32])
