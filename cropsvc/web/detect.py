"""`POST /v1/detect`: where a region would go, without an image of it."""

import json
from dataclasses import replace

from flask import Blueprint, Response

from cropsvc.imaging import extras
from cropsvc.imaging.params.model import Anchor, Crop
from cropsvc.imaging.params.parser import CropRequest
from cropsvc.jobs.service import error_of
from cropsvc.model.errors import Busy
from cropsvc.model.job import Job
from cropsvc.web.services import services
from cropsvc.web.submit import accept

SECONDS = 10.0
NO_STORE = {"Cache-Control": "no-store"}

bp = Blueprint("detect", __name__, url_prefix="/v1")


@bp.post("/detect")
def detect() -> Response:
    """Answer the decision of one output's anchor, and its region; no job stays."""
    job = accept(change=_decision_only, seconds=SECONDS).job
    services().jobs.delete(job.ref.owner, job.id)
    return Response(json.dumps(_answer(job)), content_type="application/json", headers=NO_STORE)


def _decision_only(request: CropRequest) -> CropRequest:
    return replace(request, outputs=tuple(map(_looking, request.outputs)))


def _looking(crop: Crop) -> Crop:
    default = "face" if extras.is_installed("faces") else "smart"
    anchor = crop.anchor if crop.anchor.method else Anchor(method=default)
    return replace(crop, anchor=anchor, decision_only=True)


def _answer(job: Job) -> dict[str, object]:
    if job.error:
        raise error_of(job.error)
    if not job.is_terminal:
        raise Busy(f"no answer within {SECONDS:g} s: the queue is long; try again", retry_after=5)
    output = job.outputs[0]
    return {**(output.decision or {}), "region": list(output.region or ())}
