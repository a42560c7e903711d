"""What a server says it can do, and presets over HTTP."""

import flask
import pytest

from cropsvc.imaging.params.presets import presets_of
from cropsvc.settings.settings import Settings
from tests import pictures
from tests.contract.client import Client, problem


def test_capabilities_list_formats_presets_extras_and_limits(api: Client) -> None:
    found = api.get("/v1/capabilities").json()
    assert {"jpeg", "png", "webp", "gif", "avif", "tiff", "bmp"} <= set(found["inputs"])
    assert set(found["outputs"]) == {"jpeg", "png", "webp", "avif", "gif"}
    assert found["presets"] == ["classic"]
    assert set(found["extras"]) == {"blobs", "faces", "heif"}
    assert set(found["extras"].values()) <= {True, False}
    assert found["limits"]["max_pixels"] == 50_000_000


def test_presets_are_listed_with_their_parameters(api: Client) -> None:
    [classic] = api.get("/v1/presets").json()["presets"]
    assert classic["name"] == "classic"
    assert classic["description"]
    assert classic["parameters"] == {"box": "4,20%,150,40%", "size": "300x300", "fit": "stretch"}


def test_the_other_new_parameters_work_over_http(api: Client) -> None:
    data = pictures.jpeg(300, 200)
    [made] = api.crop(data, max_bytes=2000, effort="small", metadata="copyright")["outputs"]
    assert made["bytes"] <= 2000
    assert 1 <= made["quality"] < 82
    assert "quality-lowered" in made["notes"]
    [exact] = api.crop(data, format="webp", lossless="true", rotate="-2.5")["outputs"]
    assert "quality" not in exact
    assert (exact["width"], exact["height"]) == (281, 187)
    problem(api.submit(data, lossless="true"), 400, "bad-parameter")
    assert "quality" not in api.crop(data)["outputs"][0]


def test_an_output_that_cannot_fit_fails_alone(api: Client) -> None:
    data = pictures.jpeg(1200, 900)
    entries = '[{"size": "20x20", "max_bytes": 1024}, {"max_bytes": 1024}]'
    small, large = api.ended(api.accepted(data, outputs=entries))["outputs"]
    assert (small["state"], large["state"]) == ("done", "failed")
    assert large["error"]["code"] == "over-max-bytes"


@pytest.fixture
def with_presets(front_end: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The front end in this process, with a preset of the operator."""
    from cropsvc.web import submit

    presets = presets_of(Settings(presets='[tiny]\nsize = "8x8"\n', presets_only=True))
    monkeypatch.setattr(submit, "_presets", lambda: presets)


@pytest.mark.usefixtures("with_presets")
def test_only_presets_are_taken_if_the_operator_says_so(api: Client) -> None:
    assert api.crop(pictures.png(), preset="tiny")["outputs"][0]["width"] == 8
    problem(api.submit(pictures.png(), size="8x8"), 400, "bad-parameter")
