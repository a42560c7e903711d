"""Job ids that prove themselves.

An id is 48 characters of lower-case base32: 4 bytes of time, 128 random bits, and 10 bytes of
an HMAC-SHA256 over both and the owner. So an id without a record separates "it expired" from
"it never was", with no key kept per job, and another owner's id is as unknown as a made-up one.
"""

import base64
import binascii
import hmac
import re
import secrets

TIME_BYTES, RANDOM_BYTES, MAC_BYTES = 4, 16, 10
ID_PATTERN = re.compile(r"[a-z2-7]{48}")


def make(secret: bytes, owner: str, now: float) -> str:
    """Return a new id for *owner* at *now* (seconds since the epoch)."""
    body = int(now).to_bytes(TIME_BYTES, "big") + secrets.token_bytes(RANDOM_BYTES)
    return base64.b32encode(body + _mac(secret, owner, body)).decode().lower()


def is_genuine(secret: bytes, owner: str, job_id: str) -> bool:
    """Whether *job_id* was made here for *owner*."""
    if not ID_PATTERN.fullmatch(job_id):
        return False
    try:
        raw = base64.b32decode(job_id.upper())
    except binascii.Error:
        return False
    body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    return hmac.compare_digest(mac, _mac(secret, owner, body))


def _mac(secret: bytes, owner: str, body: bytes) -> bytes:
    return hmac.digest(secret, owner.encode() + b"\0" + body, "sha256")[:MAC_BYTES]
