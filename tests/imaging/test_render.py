"""One upload, many outputs: names, notes, errors that stand alone, honest progress."""

import numpy as np
import pytest
from PIL import Image

from cropsvc.imaging.formats import CONTENT_TYPES
from cropsvc.model.errors import BadParameter, BoxOutside, Unreadable
from tests import pictures
from tests.imaging.engine import LIMITS, crop, decoded, difference, opened, outputs

DATA = pictures.encode(pictures.photo(120, 90))


def test_outputs_come_in_order_with_their_facts() -> None:
    made = outputs(
        DATA,
        {"name": "small", "size": "20x"},
        {"box": "-10,0,50,50", "format": "jpeg"},
        {"rotate": 90, "aspect": "1", "format": "webp"},
    )
    facts = [(one.name, one.format, one.width, one.height, one.region, one.notes) for one in made]
    assert facts == [
        ("small", "png", 20, 15, (0, 0, 120, 90), ()),
        ("1", "jpeg", 40, 50, (0, 0, 40, 50), ("clamped",)),
        ("2", "webp", 90, 90, (0, 15, 90, 90), ()),
    ]
    for one in made:
        assert opened(one).format == one.format.upper()


def test_a_failing_output_does_not_spoil_the_others() -> None:
    made = outputs(DATA, {}, {"box": "500,0,5,5"}, {"size": "20000x5"}, {"size": "5x5"})
    assert [type(one.error) for one in made] == [
        type(None),
        BoxOutside,
        BadParameter,
        type(None),
    ]
    assert made[1].data == b""
    assert opened(made[3]).size == (5, 5)


def test_where_every_plan_fails_nothing_is_decoded() -> None:
    broken = pictures.png_header(100, 100)
    made = outputs(broken, {"box": "500,0,5,5"}, {"box": "0,200,5,5"})
    assert [type(one.error) for one in made] == [BoxOutside, BoxOutside]


def test_a_source_that_cannot_be_decoded_fails_as_a_whole() -> None:
    with pytest.raises(Unreadable):
        outputs(pictures.encode(pictures.photo(40, 30), "avif")[:-40], {}, {"size": "5x5"})


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "gif", "avif", "tiff", "bmp"])
def test_auto_is_the_source_or_png(kind: str) -> None:
    made = crop(pictures.encode(pictures.photo(40, 30), kind))
    assert made.format == ("png" if kind in ("tiff", "bmp") else kind)
    assert made.format in CONTENT_TYPES


def test_a_multi_picture_jpeg_gives_its_first_picture_as_jpeg() -> None:
    frames = [Image.fromarray(pictures.photo(40, 30, seed=seed)) for seed in (1, 2)]
    data = pictures.save(frames[0], "mpo", save_all=True, append_images=frames[1:], quality=95)
    made = crop(data, quality="95")
    assert (made.format, made.notes) == ("jpeg", ())
    assert difference(np.asarray(opened(made)), decoded(data)) < 2


def test_a_tiff_of_several_pages_gives_its_first() -> None:
    frames = [Image.fromarray(pictures.photo(40, 30, seed=seed)) for seed in (1, 2)]
    data = pictures.save(frames[0], "tiff", save_all=True, append_images=frames[1:])
    made = crop(data)
    assert made.notes == ("pages-dropped",)
    assert np.array_equal(np.asarray(opened(made)), np.asarray(frames[0]))


def test_progress_never_falls_and_names_its_stage() -> None:
    heard: list[tuple[str, float]] = []
    entries = [{"size": "10x10"}, {"box": "500,0,5,5"}, {"size": "20x20"}]
    outputs(DATA, *entries, report=lambda stage, at: heard.append((stage, at)))
    fractions = [fraction for _, fraction in heard]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] <= fractions[-1] <= 1
    assert heard[0] == ("decoding", 0.0)
    assert {stage for stage, _ in heard} == {"decoding", "cropping", "encoding"}
    assert [stage for stage, _ in heard].count("encoding") == 2


def test_quality_is_the_outputs() -> None:
    made = outputs(DATA, *[{"format": "jpeg", "quality": quality} for quality in (10, 50, 95)])
    sizes = [len(one.data) for one in made]
    assert sizes == sorted(sizes)


def test_the_default_qualities_are_the_contracts() -> None:
    for output, quality in (("jpeg", 82), ("webp", 82), ("avif", 60)):
        assert (
            crop(DATA, format=output).data == crop(DATA, format=output, quality=str(quality)).data
        )
    assert crop(DATA, format="png", quality="1").data == crop(DATA, format="png").data


def test_the_same_request_gives_the_same_bytes() -> None:
    for output in ("jpeg", "png", "webp", "avif", "gif"):
        assert (
            crop(DATA, format=output, size="50x50").data
            == crop(DATA, format=output, size="50x50").data
        )


def test_the_upload_is_not_passed_through() -> None:
    for kind in ("jpeg", "png", "webp", "gif"):
        data = pictures.encode(pictures.photo(40, 30), kind)
        assert b"<?php" not in crop(data + b"<?php evil()").data
        assert crop(data + b"<?php evil()").data == crop(data).data


def test_a_picture_of_one_pixel_is_served_too() -> None:
    data = pictures.encode(np.full((1, 1, 3), 7, np.uint8))
    for output in ("jpeg", "png", "webp", "avif", "gif"):
        assert opened(crop(data, format=output)).size == (1, 1)
        assert opened(crop(data, format=output, size="3x5")).size == (3, 5)


@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1)])
def test_extreme_shapes_are_scaled(shape: tuple[int, int]) -> None:
    data = pictures.encode(np.zeros((*shape, 3), np.uint8), "jpeg")
    assert opened(crop(data, size="7x7", fit="stretch")).size == (7, 7)
    assert min(opened(crop(data, size="300x300", fit="inside")).size) == 1
    assert LIMITS.side == 16_384
