"""`rotate` by any angle: the frame of the contract, no empty corners, Pillow's rotate as judge."""

from fractions import Fraction
from math import cos, floor, radians, sin

import numpy as np
import pytest
from PIL import Image

from cropsvc.imaging.geometry.straighten import Tilt
from tests import pictures
from tests.imaging.engine import crop, opened

PHOTO = Image.fromarray(pictures.photo(240, 160))
ANGLES = ("0.01", "1", "-2.5", "12.34", "45", "-45", "89.99", "100", "179", "-123.4", "359.5")


def frame(width: int, height: int, degrees: float) -> tuple[int, int]:
    """The contract's formula, written down once more."""
    angle = radians(degrees)
    scale = 1 / (abs(cos(angle)) + max(width / height, height / width) * abs(sin(angle)))
    return floor(width * scale), floor(height * scale)


def png(image: Image.Image) -> bytes:
    return pictures.encode(np.asarray(image))


def judged(image: Image.Image, degrees: float) -> Image.Image:
    """The frame as Pillow's own rotation shows it."""
    turned = image.rotate(-degrees, Image.Resampling.BICUBIC, expand=True)
    width, height = frame(*image.size, degrees)
    left, top = (turned.width - width) / 2, (turned.height - height) / 2
    box = (left, top, left + width, top + height)
    return turned.resize((width, height), Image.Resampling.BICUBIC, box=box)


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean())


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("sides", [(240, 160), (160, 240), (200, 200), (7, 300), (1, 1)])
def test_the_output_is_the_frame_of_the_contract(angle: str, sides: tuple[int, int]) -> None:
    made = crop(png(Image.new("RGB", sides, "white")), rotate=angle, format="png")
    expected = tuple(max(1, side) for side in frame(*sides, float(angle)))
    assert opened(made).size == expected


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("size", [None, "60x", "500x"])
def test_no_corner_is_empty(angle: str, size: str | None) -> None:
    white = png(Image.new("RGBA", (97, 61), "white"))
    made = crop(white, rotate=angle, format="png", **({"size": size} if size else {}))
    assert np.asarray(opened(made).convert("RGBA")).min() == 255


@pytest.mark.parametrize("angle", ["12.34", "45", "-123.76"])
@pytest.mark.parametrize("sides", [(1, 125), (300, 2)])
def test_a_frame_thinner_than_a_pixel_has_no_empty_corner(
    sides: tuple[int, int], angle: str
) -> None:
    made = crop(png(Image.new("RGB", sides, "white")), rotate=angle, size="30x30", fit="stretch")
    assert np.asarray(opened(made)).min() == 255


@pytest.mark.parametrize("angle", ["1", "-2.5", "12.34", "45", "100", "-170"])
def test_it_shows_what_pillows_own_rotation_shows(angle: str) -> None:
    made = opened(crop(png(PHOTO), rotate=angle, format="png")).convert("RGB")
    assert difference(made, judged(PHOTO, float(angle))) < 3


@pytest.mark.parametrize("angle", ["-2.5", "30"])
def test_turned_and_made_smaller_is_the_same_made_smaller(angle: str) -> None:
    made = opened(crop(png(PHOTO), rotate=angle, size="50x", format="png")).convert("RGB")
    judge = judged(PHOTO, float(angle))
    assert difference(made, judge.resize(made.size, Image.Resampling.LANCZOS)) < 4


def test_a_box_refers_to_the_frame() -> None:
    whole = opened(crop(png(PHOTO), rotate="10", format="png"))
    x, y, width, height = whole.width // 4, whole.height // 3, 40, 30
    part = crop(png(PHOTO), rotate="10", box=f"{x},{y},{width},{height}", format="png")
    assert part.region == (x, y, width, height)
    cut = whole.crop((x, y, x + width, y + height)).convert("RGB")
    assert difference(opened(part).convert("RGB"), cut) < 0.5


def test_the_orientation_comes_first() -> None:
    turned = pictures.oriented(np.asarray(PHOTO), 6, "png")
    upright = png(PHOTO)
    one, other = (opened(crop(data, rotate="7", format="png")) for data in (turned, upright))
    assert one.size == other.size
    assert difference(one.convert("RGB"), other.convert("RGB")) < 0.5


def test_a_right_angle_stays_exact_however_it_is_written() -> None:
    made = [crop(png(PHOTO), rotate=text, format="png").data for text in ("90", "-270", "90.00")]
    assert made[0] == made[1] == made[2]


def test_the_part_that_is_cut_holds_all_that_is_shown() -> None:
    tilt = Tilt(33.0, (400, 200))
    x, y, width, height = tilt.bounds((0, 0, *tilt.frame))
    assert 0 <= x < 200 <= x + width <= 400
    assert 0 <= y < 100 <= y + height <= 200


def test_an_animation_is_turned_frame_by_frame() -> None:
    made = opened(crop(pictures.animation("gif", size=(60, 40)), rotate="5", format="gif"))
    assert made.n_frames == 4  # type: ignore[attr-defined]
    assert made.size == frame(60, 40, 5)


def test_the_angle_is_kept_exactly() -> None:
    from cropsvc.imaging.params.parser import CropRequest, parse

    request = parse([("rotate", "-0.07")])
    assert request.outputs[0].rotate == Fraction(35993, 100)
    assert CropRequest.from_json(request.to_json()) == request
