"""`GET /v1/capabilities` and `GET /v1/presets`: what this server can do."""

import json
from dataclasses import asdict

from flask import Blueprint, Response

from cropsvc.imaging import extras, formats
from cropsvc.imaging.params.presets import Preset
from cropsvc.store import objects
from cropsvc.web.services import services

LIMITS = (
    "max_upload", "max_pixels", "max_source_pixels", "max_frames", "max_scans", "max_side",
    "job_timeout", "queue_cap", "result_ttl", "source_ttl",
)  # fmt: skip

bp = Blueprint("capabilities", __name__, url_prefix="/v1")


@bp.get("/capabilities")
def capabilities() -> Response:
    """Return the formats, presets, extras and limits."""
    settings = services().settings
    return _json(
        {
            "inputs": [*formats.INPUTS, *(["heif"] if extras.is_installed("heif") else [])],
            "outputs": list(formats.OUTPUTS),
            "presets": services().presets.names,
            "presets_only": services().presets.only,
            "extras": {"blobs": objects.is_installed(), **_of_imaging()},
            "limits": {name: getattr(settings, name) for name in LIMITS},
        }
    )


def _of_imaging() -> dict[str, bool]:
    return {name: extras.is_installed(name) for name in extras.EXTRAS}


@bp.get("/presets")
def presets() -> Response:
    """Return the presets with their descriptions and parameters."""
    return _json({"presets": [_preset(one) for one in services().presets.entries]})


def _preset(preset: Preset) -> dict[str, object]:
    return {**asdict(preset), "parameters": dict(preset.parameters)}


def _json(value: object) -> Response:
    return Response(json.dumps(value), content_type="application/json")
