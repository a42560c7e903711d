"""HEIC in, with the extra `heif`: as an AVIF, upright, `auto` is JPEG."""

from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from cropsvc.imaging import extras
from cropsvc.imaging.headers.probe import probe
from cropsvc.model.errors import CropError, TooManyPixels, UnsupportedFormat
from cropsvc.model.limits import Limits
from tests import pictures
from tests.imaging.engine import crop, opened

PHOTO = Image.fromarray(pictures.photo(120, 80))


def heic(image: Image.Image = PHOTO, **options: object) -> bytes:
    buffer = BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=95, **options)
    return buffer.getvalue()


def difference(made: Image.Image, expected: Image.Image) -> float:
    pair = [np.asarray(one.convert("RGB"), float) for one in (made, expected)]
    return float(np.abs(pair[0] - pair[1]).mean())


def test_a_heic_is_cropped_and_auto_is_jpeg() -> None:
    data = heic()
    made = crop(data, box="10,10,60,40", quality="95")
    assert (made.format, made.notes) == ("jpeg", ())
    shown = pillow_heif.open_heif(BytesIO(data))[0].to_pillow()
    assert difference(opened(made), shown.crop((10, 10, 70, 50))) < 3


def test_it_is_shown_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = heic(PHOTO, exif=exif.tobytes())
    source = probe(data, Limits())
    made = opened(crop(data, format="png"))
    assert made.size == (source.width, source.height)


@pytest.mark.parametrize("sides", [(60, 40), (1, 1), (101, 99), (241, 160)])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_side_may_be_odd_or_small(sides: tuple[int, int], orientation: int) -> None:
    """The encoder stores even sides, of at least 64, and says which part to show."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = PHOTO.resize(sides)
    data = heic(image, chroma=444, exif=exif.tobytes())
    made = opened(crop(data, format="png"))
    expected = image.transpose(Image.Transpose.ROTATE_270) if orientation == 6 else image
    assert made.size == expected.size
    assert difference(made, expected) < 6


def test_the_stored_sides_count_and_not_the_part_that_is_shown() -> None:
    data = heic(PHOTO.resize((60, 40)))
    with pytest.raises(TooManyPixels):
        probe(data, Limits(pixels=64 * 64 - 1))
    assert probe(data, Limits(pixels=64 * 64)).width == 60


def test_alpha_is_kept() -> None:
    image = PHOTO.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    made = opened(crop(heic(image), format="png"))
    assert made.mode == "RGBA"
    assert made.getchannel("A").getextrema()[0] < 40


def test_its_limits_hold_before_it_is_decoded() -> None:
    with pytest.raises(TooManyPixels):
        probe(heic(), Limits(pixels=120 * 80 - 1))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_cut_one_is_refused(share: float) -> None:
    data = heic()
    try:
        made = crop(data[: int(len(data) * share)])
    except CropError as error:
        assert error.code == "unreadable"  # noqa: PT017 - either is right
    else:
        assert made.error
        assert made.error.code == "unreadable"


def test_a_server_without_the_extra_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "is_installed", lambda extra: False)
    with pytest.raises(UnsupportedFormat, match="extra `heif`"):
        probe(heic(), Limits())
