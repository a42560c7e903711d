"""A job and a problem, as the service answers them."""

from typing import Any

_ID = "nmewyfii3hnvxq5wkp4zq6yc2nmewyfii3hnvxq5wkp4zq6y"
JOB_EXAMPLE: dict[str, Any] = {
    "id": _ID,
    "state": "done",
    "progress": 1.0,
    "stage": "done",
    "position": None,
    "created_at": "2026-01-02T03:04:05.678Z",
    "started_at": "2026-01-02T03:04:05.690Z",
    "ended_at": "2026-01-02T03:04:05.741Z",
    "expires_at": "2026-01-02T04:04:05.741Z",
    "source": {
        "format": "jpeg",
        "width": 4000,
        "height": 3000,
        "bytes": 1586451,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    },
    "outputs": [
        {
            "name": "0",
            "state": "done",
            "width": 300,
            "height": 300,
            "format": "jpeg",
            "bytes": 15530,
            "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
            "region": [4, 600, 150, 1200],
            "notes": ["clamped"],
            "error": None,
            "url": f"/v1/crops/{_ID}/image/0",
        }
    ],
    "error": None,
    "cached": False,
    "links": {
        "self": f"/v1/crops/{_ID}",
        "image": f"/v1/crops/{_ID}/image",
        "source": f"/v1/crops/{_ID}/source",
        "events": f"/v1/crops/{_ID}/events",
        "page": f"/crops/{_ID}",
    },
}
PROBLEM_EXAMPLE: dict[str, Any] = {
    "type": "/docs#bad-parameter",
    "title": "Bad parameter",
    "status": 400,
    "detail": "quality: '250': must be a whole number from 1 to 100",
    "code": "bad-parameter",
    "errors": [{"field": "quality", "detail": "'250': must be a whole number from 1 to 100"}],
}
