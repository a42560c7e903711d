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
from cropsvc.store import Incoming
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


def fetch(url: str, settings: Settings, incoming: Incoming) -> None:
    """Write what *url* leads to into *incoming*, at most MAX_UPLOAD bytes.

    Raises BadParameter, SourceForbidden, FetchFailed, TooLarge, or Busy if too many are fetched.
    """
    if not settings.url_hosts:
        raise _wrong("this server fetches no images by URL (CROPSVC_URL_HOSTS); send the file")
    if not _places.acquire(blocking=False):
        raise Busy(f"{MOST_AT_ONCE} images are being fetched; try again", retry_after=2)
    began = time.monotonic()
    try:
        with _deadline(settings.url_timeout):
            _follow(_target(url), settings, incoming)
    except CropError as error:
        count(f"fetches:{error.code}")
        raise
    finally:
        _places.release()
        count("fetch_milliseconds", round((time.monotonic() - began) * 1000))
    count("fetches:done")
    count("fetch_bytes", incoming.size)


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


def _follow(target: Target, settings: Settings, incoming: Incoming) -> None:
    for _ in range(MOST_REDIRECTS + 1):
        with _opened(target, settings) as response:
            if response.status not in REDIRECTS:
                return _copy_body(response, settings.max_upload, incoming)
            location = response.headers.get("Location", "")
        try:
            target = target.after(location)
        except ValueError:
            raise FetchFailed("the origin redirects to something that is not a URL") from None
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


def _copy_body(response: BaseHTTPResponse, most: int, incoming: Incoming) -> None:
    if response.status != 200:
        raise FetchFailed(f"the origin answers {response.status}")
    while part := response.read1(PIECE):
        incoming.write(part)
        if incoming.size > most:
            raise TooLarge(f"the image at the URL has more than the {most} bytes that are allowed")
