"""How long a request wants its answer to be held: the `wait` parameter, and `Prefer: wait=N`."""

import re

from flask import request

from cropsvc.model.errors import BadParameter, FieldError

LONGEST_WAIT = 30.0  # seconds


def wait_of(parameter: float | None) -> float | None:
    """Seconds to hold the answer: the parameter's, else the Prefer header's, else None."""
    return preferred_wait() if parameter is None else parameter


def preferred_wait() -> int | None:
    """Return the seconds of `Prefer: wait=N` (RFC 7240), at most 30; None without."""
    for preference in ",".join(request.headers.getlist("Prefer")).split(","):
        match = re.fullmatch(r'\s*wait\s*=\s*"?0*([0-9]+)"?\s*(;.*)?', preference, re.IGNORECASE)
        if match:
            return min(int(match[1][:3]), int(LONGEST_WAIT))
    return None


def parse_wait(text: str) -> float:
    """Return the `wait` parameter in seconds. Raises BadParameter."""
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?", text) or float(text) > LONGEST_WAIT:
        raise BadParameter.of(
            FieldError("wait", f"{text[:40]!r}: must be seconds from 0 to {LONGEST_WAIT:g}")
        )
    return float(text)
