"""Colours described without an ICC profile, against the formulas of their standards."""

import io

import pytest
from PIL import Image

from cropsvc.imaging.params.parser import parse
from cropsvc.imaging.render.render import Rendered, render
from cropsvc.model.limits import Limits
from tests.as_shown import avifs, pngs_color
from tests.as_shown.pngs_color import ADOBE, COLORS, P3, SRGB, chrm, chunk, cicp, gama, png


def made(data: bytes) -> Rendered:
    result = render(data, parse([("format", "png")]), Limits(), lambda *_: None)[0]
    assert result.error is None
    return result


def shown(data: bytes, color: tuple[int, int, int]) -> tuple[int, ...]:
    image = Image.open(io.BytesIO(made(data).data)).convert("RGB")
    at = COLORS.index(color)
    return image.getpixel((at % pngs_color.WIDTH, at // pngs_color.WIDTH))  # type: ignore[return-value]


def encoded(light: float) -> int:
    light = min(1.0, max(0.0, light))
    value = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return round(255 * value)


def gray(data: bytes, value: int) -> int:
    red, green, blue = shown(data, (value,) * 3)
    assert max(red, green, blue) - min(red, green, blue) <= 1
    return green


@pytest.mark.parametrize("value", [16, 96, 144, 224])
@pytest.mark.parametrize("gamma", [22222, 30000, 55556, 100000])
def test_gama_is_the_exponent_from_stored_to_linear_values(gamma: int, value: int) -> None:
    wanted = encoded((value / 255) ** (100000 / gamma))
    assert gray(png(gama(gamma)), value) == pytest.approx(wanted, abs=1)


def test_gray_at_gamma_1_becomes_188_where_128_is_stored() -> None:
    data = png(gama(100000), colors=[(128, 128, 128)] * pngs_color.WIDTH)
    image = Image.open(io.BytesIO(made(data).data)).convert("RGB")
    assert image.getpixel((0, 0)) == (188, 188, 188)


@pytest.mark.parametrize("gamma", [43200, 45000, 45455, 47700])
def test_a_gamma_near_that_of_srgb_changes_nothing_without_chrm(gamma: int) -> None:
    result = made(png(gama(gamma)))
    assert result.notes == ()
    assert shown(png(gama(gamma)), (96, 144, 192)) == (96, 144, 192)


def test_chrm_alone_changes_nothing_and_with_gama_it_counts() -> None:
    assert shown(png(chrm(*ADOBE)), (0, 255, 0)) == (0, 255, 0)
    assert shown(png(gama(45455), chrm(*P3)), (96, 192, 96))[0] < 60
    assert made(png(gama(45455), chrm(*P3))).notes == ("profile-converted",)


def test_srgb_wins_over_gama_and_cicp_over_both() -> None:
    plain = chunk(b"sRGB", b"\0")
    assert shown(png(plain, gama(100000), chrm(*SRGB)), (96, 96, 96)) == (96, 96, 96)
    assert shown(png(plain, cicp(1, 8)), (96, 96, 96))[0] == encoded(96 / 255)


@pytest.mark.parametrize("numbers", [(0, 13), (2, 13), (3, 13), (1, 2), (1, 9), (13, 8)])
def test_reserved_and_unknown_numbers_change_nothing(numbers: tuple[int, int]) -> None:
    assert made(png(cicp(*numbers))).notes == ()
    assert shown(png(cicp(*numbers)), (96, 144, 192)) == (96, 144, 192)


def test_a_short_chunk_and_one_with_a_matrix_are_ignored() -> None:
    short, with_matrix = chunk(b"cICP", b"\1\10"), chunk(b"cICP", b"\1\10\1\1")
    for data in (png(short), png(with_matrix)):
        assert shown(data, (96, 96, 96)) == (96, 96, 96)


@pytest.mark.parametrize("value", [48, 96, 144])
def test_pq_below_white_keeps_half_of_its_light(value: int) -> None:
    power = (value / 255) ** (1 / 78.84375)
    nits = 10000 * (max(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (
        1 / 0.1593017578125
    )
    result = made(png(cicp(9, 16)))
    assert gray(png(cicp(9, 16)), value) == pytest.approx(encoded(nits / 406), abs=2)
    assert result.notes == ("profile-converted", "tone-mapped")


@pytest.mark.parametrize(
    ("value", "wanted"), [(48, 29), (96, 71), (144, 115), (192, 189), (224, 228), (255, 255)]
)
def test_hlg_grays_are_those_that_chromium_156_shows(value: int, wanted: int) -> None:
    assert gray(png(cicp(1, 18)), value) == pytest.approx(wanted, abs=2)


def test_a_brighter_image_is_mapped_more_softly() -> None:
    light = chunk(b"cLLI", (40_000_000).to_bytes(4, "big") + (2_000_000).to_bytes(4, "big"))
    usual, bright = gray(png(cicp(1, 16)), 192), gray(png(light, cicp(1, 16)), 192)
    assert bright < usual - 10


def test_nclx_says_the_same_in_an_avif() -> None:
    files = dict(avifs.files())
    image = Image.open(io.BytesIO(made(files["nclx-1-8"]).data)).convert("RGB")
    at = COLORS.index((96, 96, 96))
    found = image.getpixel((at % 64 * 4 + 1, at // 64 * 4 + 1))
    assert found[0] == pytest.approx(encoded(96 / 255), abs=3)  # type: ignore[index]
    assert made(files["nclx-9-16"]).notes == ("profile-converted", "tone-mapped")
    assert made(files["nclx-1-1"]).notes == ()


@pytest.mark.parametrize(
    "name", ["brand-mif3", "ftyp-16", "exif", "sequence-without-meta", "no-colr"]
)
def test_containers_that_browsers_show_are_read(name: str) -> None:
    assert made(dict(avifs.files())[name]).data
