"""RATE_LIMIT: how often one owner, or one address while no keys are set, may submit.

Visitors who submit with an owner's token count by address until their request makes a job. Else
one of them could use up the limit of the owner, and so of all the others, with requests that are
refused.
"""

import math
import time
from ipaddress import IPv6Address, ip_address, ip_network

from flask import current_app, request
from limits import RateLimitItem, parse
from limits.strategies import MovingWindowRateLimiter

from cropsvc.model.errors import RateLimited
from cropsvc.store import Store
from cropsvc.web.auth import OPEN

EXTENSION = "cropsvc-rate-limit"


class RateLimit:
    """The settings' limit, counted in the store so that every front end process sees it."""

    def __init__(self, text: str, store: Store) -> None:
        self._item: RateLimitItem | None = parse(text) if text else None
        self._store = store
        self._limiter: MovingWindowRateLimiter | None = None

    def check(self, owner: str, *, by_token: bool = False) -> None:
        """Count one submit of *owner*, or *by_token* one of this address with the owner's tokens.

        Raises RateLimited with the seconds to wait.
        """
        if self._item is None:
            return
        address = network_of(request.remote_addr or "")
        who = f"{owner} {address}" if by_token else address if owner == OPEN else owner
        limiter = self._ready()
        if not limiter.hit(self._item, who):
            reset = limiter.get_window_stats(self._item, who).reset_time
            raise RateLimited(
                f"more than {self._item} submits; wait a while",
                retry_after=max(1, math.ceil(reset - time.time())),
            )

    def _ready(self) -> MovingWindowRateLimiter:
        if self._limiter is None:
            self._limiter = MovingWindowRateLimiter(self._store.rate_limit_storage())
        return self._limiter


def network_of(address: str) -> str:
    """Return the address that stands for a client: of IPv6 its /64, which one client has whole."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ip_network((ip, 64), strict=False))
    return str(ip)


def rate_limit() -> RateLimit:
    """Return the current app's limit."""
    limit: RateLimit = current_app.extensions[EXTENSION]
    return limit
