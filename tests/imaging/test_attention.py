"""`anchor=smart` and `anchor=face`: the region holds what matters, and the decision says why."""

from io import BytesIO

import pytest
from PIL import Image
from skimage import data as pictures

from cropsvc.imaging import extras
from cropsvc.imaging.attention import faces as detector
from cropsvc.imaging.attention.decision import Decision, Face, around_faces
from cropsvc.imaging.attention.interest import InterestMap
from cropsvc.imaging.geometry.validate import check
from cropsvc.imaging.headers.probe import probe
from cropsvc.imaging.params.parser import parse
from cropsvc.imaging.render.render import Rendered, render
from cropsvc.model.errors import BadParameter
from cropsvc.model.limits import Limits

WITHIN = (0, 0, 1000, 400)
FACE = (180, 60, 100, 150)  # of the portrait, at least: eyes to chin


def portrait() -> Image.Image:
    return Image.fromarray(pictures.astronaut())


def scene(left: int, width: int = 1600, height: int = 500) -> bytes:
    """A grey wall of bricks with a portrait at *left*."""
    wall = Image.fromarray(pictures.brick()).convert("RGB").resize((width, height))
    wall.paste(portrait().crop((100, 0, 400, 400)), (left, 50))
    return png(wall)


def png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def cropped(data: bytes, **params: str) -> Rendered:
    [made] = render(data, parse(list(params.items())), Limits(), lambda *_: None)
    assert made.error is None
    return made


def decision(made: Rendered) -> Decision:
    assert made.decision
    return made.decision


@pytest.mark.parametrize("left", [0, 400, 1000, 1300])
@pytest.mark.parametrize("anchor", ["smart", "face"])
def test_the_region_holds_the_face_wherever_it_is(left: int, anchor: str) -> None:
    made = cropped(scene(left), aspect="1:1", anchor=anchor)
    face = (left + FACE[0] - 100, left + FACE[0] - 100 + FACE[2])
    assert made.region[0] <= face[0]
    assert face[1] <= made.region[0] + made.region[2]
    assert decision(made).method == anchor


def test_the_faces_are_given_in_displayed_pixels() -> None:
    [face] = decision(cropped(scene(1000), aspect="1:1", anchor="face")).faces
    x, y, width, height = face.box
    assert 1060 <= x <= 1140
    assert 80 <= y <= 190
    assert 70 <= width <= 140
    assert 90 <= height <= 170
    assert face.score > 0.7


def test_the_image_is_looked_at_as_it_is_displayed() -> None:
    lying = Image.open(BytesIO(scene(1300))).transpose(Image.Transpose.ROTATE_90)
    made = cropped(png(lying), aspect="1:1", anchor="face", rotate="90")
    assert made.region == cropped(scene(1300), aspect="1:1", anchor="face").region


def test_without_a_face_it_looks_for_the_interesting_part_and_says_so() -> None:
    flat = Image.new("RGB", (900, 300), "#778899")
    flat.paste("#ff2020", (700, 100, 760, 160))
    made = cropped(png(flat), aspect="1:1", anchor="face")
    assert decision(made).method == "smart"
    assert "no face" in decision(made).reason
    assert made.region[0] <= 700
    assert made.region[0] + 300 >= 760


def test_an_image_without_any_interest_is_cut_in_the_middle() -> None:
    made = cropped(png(Image.new("RGB", (900, 300), "#778899")), size="100x100", anchor="smart")
    assert made.region == (300, 0, 300, 300)
    assert decision(made).method == "center"


def test_a_region_that_is_the_whole_image_has_nothing_to_place() -> None:
    made = cropped(png(Image.new("RGB", (90, 30))), anchor="smart")
    assert decision(made).method == "center"
    assert "whole image" in decision(made).reason


def test_other_anchors_carry_no_decision() -> None:
    assert cropped(png(Image.new("RGB", (90, 30))), size="10x10").decision is None


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_can_be_looked_at(mode: str) -> None:
    made = cropped(png(Image.new(mode, (60, 20))), aspect="1:1", anchor="face")
    assert made.region[2:] == (20, 20)


def test_a_detector_that_fails_fails_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(image: Image.Image) -> list[list[float]]:
        raise RuntimeError("broken")

    monkeypatch.setattr(detector, "_detected", fail)
    made = cropped(scene(1000), aspect="1:1", anchor="face")
    assert decision(made).method == "smart"
    assert "the face detector failed" in decision(made).reason


def test_all_faces_are_kept_if_they_fit() -> None:
    faces = (Face((100, 100, 100, 100), 0.9), Face((400, 100, 100, 100), 0.9))
    found = around_faces(faces, (450, 400), WITHIN)
    assert found
    assert found[0][0] == 300
    assert "all faces" in found[1]


def test_else_the_most_prominent_one_is_kept() -> None:
    faces = (Face((100, 100, 60, 60), 0.99), Face((800, 100, 120, 120), 0.9))
    found = around_faces(faces, (400, 400), WITHIN)
    assert found
    assert found[0][0] == 860
    assert "most prominent" in found[1]


def test_a_face_outside_of_the_box_does_not_count() -> None:
    assert around_faces((Face((1200, 0, 50, 50), 0.9),), (400, 400), WITHIN) is None


def test_the_score_of_a_place_suffers_from_what_it_cuts() -> None:
    image = Image.new("RGB", (400, 100), "black")
    image.paste("white", (20, 20, 120, 80))  # as wide as the region
    image.paste("#404040", (300, 20, 400, 80))
    point = InterestMap(image, (400, 100)).best((100, 100), (0, 0, 400, 100))
    assert point
    assert abs(point[0] - 70) <= 8


def test_a_server_without_the_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "is_installed", lambda extra: False)
    source = probe(png(Image.new("RGB", (90, 30))), Limits())
    with pytest.raises(BadParameter, match="extra `faces`"):
        check(parse([("anchor", "face")]), source, Limits())
