"""`anchor=smart`, `anchor=face` and `POST /v1/detect` over HTTP."""

import io

import pytest
from PIL import Image
from skimage import data as shown

from tests import pictures
from tests.contract.client import Client, problem

SHAPE = {"aspect": "1:1", "size": "100x100"}


@pytest.fixture(scope="module")
def scene() -> bytes:
    """A wall with a portrait near its right end; the face is at about x = 1100."""
    wall = Image.fromarray(shown.brick()).convert("RGB").resize((1600, 500))
    wall.paste(Image.fromarray(shown.astronaut()).crop((100, 0, 400, 400)), (1000, 50))
    buffer = io.BytesIO()
    wall.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.mark.parametrize("anchor", ["smart", "face"])
def test_an_output_says_how_it_was_placed(api: Client, scene: bytes, anchor: str) -> None:
    [output] = api.crop(scene, anchor=anchor, **SHAPE)["outputs"]
    assert output["decision"]["method"] == anchor
    assert output["decision"]["faces"]
    assert output["decision"]["reason"]
    assert output["region"][0] <= 1080
    assert output["region"][0] + output["region"][2] >= 1180


def test_other_anchors_say_nothing(api: Client) -> None:
    assert "decision" not in api.crop(pictures.png(40, 20), size="5x5")["outputs"][0]


def test_detect_answers_the_decision_and_leaves_no_job(api: Client, scene: bytes) -> None:
    answer = api.post("/v1/detect", params=SHAPE, files={"image": scene})
    assert answer.status_code == 200
    found = answer.json()
    assert set(found) == {"method", "faces", "reason", "region"}
    assert found["method"] == "face"
    [face] = found["faces"]
    assert 1040 <= face["box"][0] <= 1160
    assert 0.7 <= face["score"] <= 1
    assert found["region"] == api.crop(scene, anchor="face", **SHAPE)["outputs"][0]["region"]


def test_detect_refuses_what_a_submit_refuses(api: Client) -> None:
    problem(api.post("/v1/detect", content=b"no image"), 415, "unsupported-format")
    wrong = api.post("/v1/detect", params={"anchor": "nose"}, files={"image": pictures.png()})
    problem(wrong, 400, "bad-parameter")
    problem(api.post("/v1/detect"), 400, "bad-request")
    hook = {"webhook": "https://example.com/"}
    refused = api.post("/v1/detect", params=hook, files={"image": pictures.png()})
    assert problem(refused, 400, "bad-parameter")["detail"].startswith("webhook: no message")
