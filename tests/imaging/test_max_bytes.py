"""`max_bytes`, `lossless` and `effort`: files that fit, files without loss, smaller files."""

import random
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cropsvc.imaging.formats import OUTPUTS, Encoding
from cropsvc.imaging.geometry.validate import check
from cropsvc.imaging.headers.probe import probe
from cropsvc.imaging.params.parser import parse
from cropsvc.imaging.render.encode import encode, fitted
from cropsvc.model.errors import BadParameter, OverMaxBytes
from cropsvc.model.limits import Limits
from tests import pictures
from tests.imaging.engine import crop, opened, outputs

SEED, CASES = 20261127, 300
LOSSY = [name for name, row in OUTPUTS.items() if row.default_quality is not None]


def random_image(rng: random.Random) -> Image.Image:
    width, height = rng.randint(40, 160), rng.randint(40, 160)
    noise = np.random.default_rng(rng.randrange(2**32))
    pixels = pictures.photo(width, height, seed=rng.randrange(1000)).astype(int)
    pixels += noise.integers(-1, 2, pixels.shape) * rng.randint(0, 40)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def best_that_fits(write, asked: int, most: int) -> int:
    return max((q for q in range(1, asked + 1) if len(write(Encoding(q))) <= most), default=0)


def test_no_file_is_larger_and_no_quality_is_far_below_the_best() -> None:
    rng = random.Random(SEED)
    for case in range(CASES):
        image, asked = random_image(rng), rng.randint(5, 100)
        output = "jpeg" if case % 10 else rng.choice(["webp", "avif"])

        def write(encoding: Encoding, image=image, output=output) -> bytes:
            return encode(image, output, encoding, {})

        largest = len(write(Encoding(asked)))
        most = rng.randint(300, max(301, largest + 50))
        try:
            found = fitted(write, Encoding(asked), most)
        except OverMaxBytes:
            assert len(write(Encoding(1))) > most
            continue
        assert len(found.data) <= most
        assert found.quality is not None
        assert found.quality <= asked
        assert found.lowered == (largest > most)
        if found.lowered and case % 5 == 0:  # trying all qualities takes a hundred files
            assert found.quality >= best_that_fits(write, asked, most) - 2


@pytest.mark.parametrize("output", LOSSY)
def test_the_output_shows_the_quality_that_fits(output: str) -> None:
    data = pictures.jpeg(400, 300)
    free = crop(data, format=output)
    made = crop(data, format=output, max_bytes=str(max(1024, len(free.data) // 2)))
    assert len(made.data) <= len(free.data) // 2
    assert made.quality
    assert made.quality < (OUTPUTS[output].default_quality or 0)
    assert "quality-lowered" in made.notes


def test_what_fits_keeps_its_quality() -> None:
    made = crop(pictures.jpeg(), format="jpeg", max_bytes="1000000", quality="70")
    assert (made.quality, "quality-lowered" in made.notes) == (70, False)


def test_only_the_output_that_can_not_fit_fails() -> None:
    data = pictures.jpeg(1200, 900)
    small, large = outputs(data, {"size": "20x20", "max_bytes": 1024}, {"max_bytes": 1024})
    assert small.error is None
    assert large.error
    assert large.error.code == "over-max-bytes"
    assert "quality 1 gives" in large.error.detail


def test_an_animation_fits_too() -> None:
    data = pictures.animation("webp", frames=6, size=(120, 90))
    free = len(crop(data, quality="100").data)
    made = crop(data, quality="100", max_bytes=str(max(1024, free * 2 // 3)))
    assert made.error or len(made.data) <= max(1024, free * 2 // 3)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"format": "png", "max_bytes": "5000"}, "max_bytes"),
        ({"format": "gif", "max_bytes": "5000"}, "max_bytes"),
        ({"format": "webp", "lossless": "true", "max_bytes": "5000"}, "max_bytes"),
        ({"max_bytes": "5000"}, "max_bytes"),  # auto is PNG here
        ({"format": "jpeg", "lossless": "true"}, "lossless"),
        ({"format": "avif", "lossless": "true"}, "lossless"),
    ],
)
def test_what_cannot_be_is_refused_by_name(params: dict[str, str], field: str) -> None:
    source = probe(pictures.png(), Limits())
    with pytest.raises(BadParameter) as caught:
        check(parse(list(params.items())), source, Limits())
    assert [error.field for error in caught.value.errors] == [field]


@pytest.mark.parametrize("output", ["webp", "png"])
@pytest.mark.parametrize("effort", ["fast", "balanced", "small"])
def test_lossless_loses_nothing(output: str, effort: str) -> None:
    shown = Image.open(BytesIO(pictures.translucent())).convert("RGBA")
    buffer = BytesIO()
    shown.save(buffer, "PNG")
    made = opened(crop(buffer.getvalue(), format=output, lossless="true", effort=effort))
    assert (np.asarray(made.convert("RGBA")) == np.asarray(shown)).all()


@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif"])
def test_small_is_smaller_than_fast(output: str) -> None:
    data = pictures.jpeg(320, 240)
    fast, small = (len(crop(data, format=output, effort=e).data) for e in ("fast", "small"))
    assert small < fast
