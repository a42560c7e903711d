"""What the contract tests say to the service: submit, look, fetch, and check what came back."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np

from tests import pictures
from tests.pictures import Pixels
from tests.stack import until

Json = dict[str, Any]
Params = dict[str, object]

JOB_KEYS = {
    "id", "state", "progress", "stage", "position", "created_at", "started_at", "ended_at",
    "expires_at", "source", "outputs", "error", "cached", "links",
}  # fmt: skip
OUTPUT_KEYS = {
    "name", "state", "width", "height", "format", "bytes", "sha256", "region", "notes", "error",
    "url",
}  # fmt: skip
SOMETIMES = {"decision", "quality"}  # of an output, where they apply
STATES = {"queued", "running", "done", "failed", "canceled"}
TERMINAL = {"done", "failed", "canceled"}
STAGES = {"queued", "decoding", "cropping", "encoding", "done"}
NOTES = {
    "clamped", "animation-flattened", "alpha-flattened", "profile-converted", "enlarged",
    "metadata-dropped", "pages-dropped", "source-truncated", "tone-mapped", "gain-map-dropped",
    "video-dropped", "quality-lowered",
}  # fmt: skip
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
PATIENCE = 30  # seconds, the contract's longest wait


class Client(httpx.Client):
    """A browserless user of one service; every job that it reads is checked for its form."""

    def __init__(self, base_url: str, **options: Any) -> None:
        super().__init__(base_url=base_url, timeout=PATIENCE + 15, **options)

    def submit(self, data: bytes | None = None, **params: object) -> httpx.Response:
        """POST /v1/crops with the raw bytes and the parameters in the query."""
        headers = {} if data is None else {"Content-Type": "application/octet-stream"}
        headers.update(params.pop("headers", {}))  # type: ignore[call-overload]
        query = _spelled(params)
        return self.post("/v1/crops", content=data or b"", params=query, headers=headers)

    def upload(self, data: bytes, *, name: str = "photo.png", **fields: object) -> httpx.Response:
        """POST /v1/crops as a form with the file in `image` and the parameters as fields."""
        headers = fields.pop("headers", {})
        files = {"image": (name, data)}
        return self.post("/v1/crops", files=files, data=_spelled(fields), headers=headers)  # type: ignore[arg-type]

    def accepted(self, data: bytes | None = None, **params: object) -> Json:
        """The job of a submit that must be taken."""
        return self.accept(self.submit(data, **params))

    def accept(self, response: httpx.Response) -> Json:
        """The job of a 202, whose Location must lead to it."""
        assert response.status_code == 202, response.text
        job = checked(response.json())
        assert response.headers["Location"] == f"/v1/crops/{job['id']}"
        return job

    def job(self, job: Json | str, **params: object) -> Json:
        """The job as it is now."""
        id_ = job if isinstance(job, str) else job["id"]
        response = self.get(f"/v1/crops/{id_}", params=params)
        assert response.status_code == 200, response.text
        return checked(response.json())

    def ended(self, job: Json) -> Json:
        """The job once it is terminal."""
        job = self.job(job, wait=PATIENCE)
        assert job["state"] in TERMINAL, f"not terminal within {PATIENCE} s: {job}"
        return job

    def crop(self, data: bytes | None = None, **params: object) -> Json:
        """The job of a crop that must succeed."""
        job = self.ended(self.accepted(data, **params))
        assert job["state"] == "done", job
        return job

    def bytes_of(self, job: Json, name: str | None = None) -> bytes:
        """An output's bytes, which must be those that the job tells of."""
        output = job["outputs"][0] if name is None else output_of(job, name)
        response = self.get(output["url"])
        assert response.status_code == 200, response.text
        assert hashlib.sha256(response.content).hexdigest() == output["sha256"]
        assert len(response.content) == output["bytes"]
        return response.content

    def pixels(self, data: bytes, **params: object) -> tuple[Pixels, Json]:
        """The pixels of a crop, made losslessly (PNG) unless asked otherwise, and its output."""
        job = self.crop(data, **{"format": "png", **params})
        output = job["outputs"][0]
        shown = pictures.decode(self.bytes_of(job))
        assert shown.shape[:2] == (output["height"], output["width"])
        return shown, output

    def until_state(self, job: Json, *states: str, seconds: float = PATIENCE) -> Json:
        """The job once it is in one of these states."""

        def arrived() -> Json | None:
            now = self.job(job)
            return now if now["state"] in states else None

        found = until(arrived, seconds=seconds, what=f"the job is {' or '.join(states)}")
        assert isinstance(found, dict)
        return found

    def failure(self, data: bytes, **params: object) -> str:
        """The code of what goes wrong with this image, at submit or as the job's error."""
        response = self.submit(data, **params)
        if response.status_code != 202:
            return str(problem(response, 422)["code"])
        job = self.ended(response.json())
        assert job["state"] == "failed", job
        return str(job["error"]["code"])


def _spelled(params: Params) -> dict[str, str]:
    return {name: str(value) for name, value in params.items()}


def output_of(job: Json, name: str) -> Json:
    """The job's output of this name."""
    return next(output for output in job["outputs"] if output["name"] == name)


def checked(job: Json) -> Json:
    """The job, if it has exactly the contract's form and does not contradict itself."""
    assert set(job) - {"webhook"} == JOB_KEYS, set(job) ^ JOB_KEYS
    assert job["state"] in STATES
    assert job["stage"] in STAGES
    assert 0.0 <= job["progress"] <= 1.0
    assert (job["progress"] == 1.0) == (job["state"] == "done"), job
    assert (job["expires_at"] is not None) == (job["state"] in TERMINAL), job
    assert (job["ended_at"] is not None) == (job["state"] in TERMINAL), job
    assert (job["error"] is not None) == (job["state"] == "failed"), job
    assert isinstance(job["cached"], bool)
    _check_position(job)
    _check_times(job)
    _check_source(job["source"])
    _check_links(job)
    for output in job["outputs"]:
        _check_output(output, job)
    return job


def _check_position(job: Json) -> None:
    if job["state"] == "queued":
        assert job["position"] is None or job["position"] >= 1, job
        return
    assert job["position"] is None, job


def _check_times(job: Json) -> None:
    names = ("created_at", "started_at", "ended_at", "expires_at")
    told = [job[name] for name in names if job[name] is not None]
    assert job["created_at"]
    assert all(TIME.fullmatch(time) for time in told), told
    assert told == sorted(told), f"times out of order: {told}"


def _check_source(source: Json) -> None:
    assert set(source) == {"format", "width", "height", "bytes", "sha256"}
    assert re.fullmatch("[0-9a-f]{64}", source["sha256"])
    assert min(source["width"], source["height"], source["bytes"]) >= 1


def _check_links(job: Json) -> None:
    path = f"/v1/crops/{job['id']}"
    assert job["links"] == {
        "self": path,
        "image": f"{path}/image",
        "source": f"{path}/source",
        "events": f"{path}/events",
        "page": f"/crops/{job['id']}",
    }


def _check_output(output: Json, job: Json) -> None:
    assert set(output) - SOMETIMES == OUTPUT_KEYS, set(output) ^ OUTPUT_KEYS
    assert output["state"] in STATES
    assert set(output["notes"] or ()) <= NOTES
    assert (output["error"] is not None) == (output["state"] == "failed"), output
    if output["error"]:
        assert set(output["error"]) == {"code", "detail"}
    if output["state"] != "done":
        return
    assert output["url"] == f"/v1/crops/{job['id']}/image/{output['name']}"
    assert re.fullmatch("[0-9a-f]{64}", output["sha256"])
    assert min(output["width"], output["height"], output["bytes"]) >= 1
    assert len(output["region"]) == 4


def problem(
    response: httpx.Response, status: int, code: str | None = None, *, field: str | None = None
) -> Json:
    """The problem of a refusal, which must have the contract's form and the asked content."""
    assert response.status_code == status, f"{response.status_code}: {response.text[:500]}"
    kind = response.headers["Content-Type"].partition(";")[0]
    assert kind == "application/problem+json", response.text[:300]
    body: Json = response.json()
    assert {"type", "title", "status", "detail", "code"} <= set(body), body
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    for leak in ("Traceback", "site-packages", ".py", "0x7f"):
        assert leak not in response.text
    if code:
        assert body["code"] == code, body
    if field:
        errors = body.get("errors", [])
        assert field in [error["field"] for error in errors], body
        assert all(set(error) == {"field", "detail"} and error["detail"] for error in errors)
    return body


def close(got: Pixels, expected: Pixels, *, mean: float = 2.0) -> bool:
    """Whether two pictures of one size differ by at most *mean* levels per channel on average."""
    assert got.shape == expected.shape, (got.shape, expected.shape)
    difference = np.abs(got.astype(float) - expected.astype(float))
    return bool(difference.mean() <= mean)


def cut(pixels: Pixels, region: Sequence[int]) -> Pixels:
    """The pixels of `[x, y, width, height]`."""
    x, y, width, height = region
    return pixels[y : y + height, x : x + width]
