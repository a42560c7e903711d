"""JPEGs of 100 and 200 megapixels: what is decoded counts, not what the header states."""

import time
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from cropsvc.imaging.geometry.validate import check
from cropsvc.imaging.headers.probe import Source, probe
from cropsvc.imaging.params.parser import parse
from cropsvc.model.errors import TooManyPixels
from cropsvc.model.limits import Limits
from tests import pictures
from tests.imaging.measured import ADDRESS_SPACE, measured

SIDES = {"100 MP": (12000, 9000), "odd 100 MP": (12001, 9001), "200 MP": (16320, 12240)}


def refused(sides: tuple[int, int], *outputs: dict[str, str], orientation: int = 1) -> bool:
    import json

    pairs = [("outputs", json.dumps(outputs))]
    source = Source("jpeg", *sides, orientation=orientation)
    try:
        check(parse(pairs), source, Limits())
    except TooManyPixels:
        return True
    return False


@pytest.mark.parametrize("sides", SIDES.values(), ids=SIDES)
def test_a_small_output_of_all_of_it_is_taken(sides: tuple[int, int]) -> None:
    assert not refused(sides, {"size": "1080x1080"})


@pytest.mark.parametrize("sides", SIDES.values(), ids=SIDES)
def test_all_of_its_pixels_are_too_many(sides: tuple[int, int]) -> None:
    assert refused(sides, {})


def test_a_region_at_the_top_is_taken_and_one_at_the_bottom_is_not() -> None:
    assert not refused((12000, 9000), {"box": "0,0,1000,1000"})
    assert refused((12000, 9000), {"box": "0,8000,1000,1000"})


def test_the_rows_that_count_are_those_of_the_file() -> None:
    """Turned by 90 degrees, the displayed right edge is the file's first row."""
    assert not refused((9000, 12000), {"box": "8000,0,1000,1000"}, orientation=6)
    assert refused((9000, 12000), {"box": "0,0,1000,1000"}, orientation=6)


def test_the_most_demanding_output_decides() -> None:
    assert refused((12000, 9000), {"size": "100x"}, {"box": "0,8000,1000,1000"})


def test_a_straightened_one_may_be_made_smaller_too() -> None:
    assert not refused((12000, 9000), {"rotate": "2.5", "size": "1080x"})


def test_only_a_jpegs_decoder_can_do_so() -> None:
    with pytest.raises(TooManyPixels):
        probe(pictures.png_header(12000, 9000), Limits())


def test_a_bomb_is_refused_at_its_header() -> None:
    image = Image.new("L", (8, 8))
    buffer = BytesIO()
    image.save(buffer, "JPEG")
    data = bytearray(buffer.getvalue())
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = (65000).to_bytes(2, "big") * 2
    began = time.perf_counter()
    with pytest.raises(TooManyPixels, match="400,000,000"):
        probe(bytes(data), Limits())
    assert time.perf_counter() - began < 0.05


@pytest.mark.parametrize("progressive", [False, True])
def test_a_hundred_megapixels_fit_into_the_memory_of_a_job(
    tmp_path: Path, progressive: bool
) -> None:
    tile = Image.fromarray(pictures.photo(1200, 900))
    image = tile.resize((12000, 9000), Image.Resampling.NEAREST)
    path = tmp_path / "large.jpg"
    image.save(path, "JPEG", quality=80, progressive=progressive)
    del image
    told = measured(path, size="1080x1080")  # under a job's limit of address space
    assert told["outcome"] == ["done"]
    assert told["sizes"] == [[1080, 1080]]
    assert 0 < told["grew"] < ADDRESS_SPACE
