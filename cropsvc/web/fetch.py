"""`url` in place of a file: fetched here, counted, and then treated as an upload."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from cropsvc import __version__
from cropsvc.model.errors import (
    BadParameter,
    Busy,
    CropError,
    FetchFailed,
    FieldError,
    SourceForbidden,
    TooLarge,
)
from cropsvc.model.hosts import host_allowed
from cropsvc.outbound.addresses import Allowed
from cropsvc.outbound.connection import AddressForbidden, Call, Route, called
from cropsvc.outbound.target import Target
from cropsvc.settings.settings import Settings
from cropsvc.web.metrics import count

MOST_AT_ONCE = 64  # in one front end process
MOST_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
PIECE = 64 * 1024  # bytes read at a time
HEADERS = {
    "Accept": "image/*, */*;q=0.1",
    "Accept-Encoding": "identity",
    "User-Agent": f"cropsvc/{__version__}",
}
FORBIDDEN = "this server may not fetch from there; ask its operator (CROPSVC_URL_HOSTS)"
NO_ANSWER = "the image cannot be fetched from there: no answer, or not in time"

_places = threading.BoundedSemaphore(MOST_AT_ONCE)


def fetched(url: str, settings: Settings) -> bytes:
    """Return what *url* leads to, at most MAX_UPLOAD bytes.

    Raises BadParameter, SourceForbidden, FetchFailed, TooLarge, or Busy if too many are fetched.
    """
    if not settings.url_hosts:
        raise _wrong("this server fetches no images by URL (CROPSVC_URL_HOSTS); send the file")
    if not _places.acquire(blocking=False):
        raise Busy(f"{MOST_AT_ONCE} images are being fetched; try again", retry_after=2)
    began = time.monotonic()
    try:
        with _deadline(settings.url_timeout):
            data = _followed(_target(url), settings)
    except CropError as error:
        count(f"fetches:{error.code}")
        raise
    finally:
        _places.release()
        count("fetch_milliseconds", round((time.monotonic() - began) * 1000))
    count("fetches:done")
    count("fetch_bytes", len(data))
    return data


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Bound all of a fetch: look-up, connection, and a body that drips."""
    timeout = gevent.Timeout(seconds)
    try:
        with timeout:
            yield
    except gevent.Timeout as fired:
        if fired is not timeout:
            raise
        raise FetchFailed(NO_ANSWER) from None


def _target(url: str) -> Target:
    try:
        return Target.read(url)
    except ValueError as error:
        raise _wrong(str(error)) from None


def _wrong(detail: str) -> BadParameter:
    return BadParameter.of(FieldError("url", detail))


def _followed(target: Target, settings: Settings) -> bytes:
    for _ in range(MOST_REDIRECTS + 1):
        with _opened(target, settings) as response:
            if response.status not in REDIRECTS:
                return _body(response, settings.max_upload)
            location = response.headers.get("Location", "")
        try:
            target = target.after(location)
        except ValueError:
            raise FetchFailed("the origin redirects to what is not a URL") from None
    raise FetchFailed(f"the origin redirects more than {MOST_REDIRECTS} times")


@contextmanager
def _opened(target: Target, settings: Settings) -> Iterator[BaseHTTPResponse]:
    if not host_allowed(settings.url_hosts, target.host, target.port):
        raise SourceForbidden(FORBIDDEN)
    route = Route(Allowed(settings.url_networks), settings.url_proxy, settings.url_timeout)
    try:
        with called(Call("GET", target, HEADERS), route) as response:
            yield response
    except AddressForbidden:
        raise SourceForbidden(FORBIDDEN) from None
    except (HTTPError, OSError, ValueError) as error:
        raise FetchFailed(NO_ANSWER) from error


def _body(response: BaseHTTPResponse, most: int) -> bytes:
    if response.status != 200:
        raise FetchFailed(f"the origin answers {response.status}")
    parts: list[bytes] = []
    length = 0
    while part := response.read1(PIECE):
        parts.append(part)
        length += len(part)
        if length > most:
            raise TooLarge(f"the image at the URL has more than the {most} bytes that are allowed")
    return b"".join(parts)
