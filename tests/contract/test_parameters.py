"""What the parameters mean, seen in pixels; the imaging tests own the depth."""

import io

import numpy as np
import pytest
from PIL import Image

from tests import pictures
from tests.contract.client import Client, Json, close, cut

W, H = 400, 300
PIXELS = pictures.pattern(W, H)
DATA = pictures.encode(PIXELS)
Region = list[int]


def region(api: Client, data: bytes = DATA, **params: object) -> Region:
    """The region that was used, which must also be what the pixels show if nothing is scaled."""
    return list(api.pixels(data, **params)[1]["region"])


# box


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ("10,20,30,40", [10, 20, 30, 40]),
        ("0,0,400,300", [0, 0, 400, 300]),
        ("399,299,1,1", [399, 299, 1, 1]),
        ("50%,50%,25%,10%", [200, 150, 100, 30]),
        ("4,20%,150,40%", [4, 60, 150, 120]),
        ("0.5,0.5,10,10", [1, 1, 10, 10]),  # floor(0.5 + 0.5) = 1, floor(10.5 + 0.5) = 11
        ("0.4,0.4,10.2,10.05", [0, 0, 11, 10]),  # right floor(11.1), bottom floor(10.95)
        ("10,10,0.5,0.5", [10, 10, 1, 1]),
        ("33.3%,0,0.1%,1", [133, 0, 1, 1]),  # left floor(133.7), right floor(134.1)
        ("-0,0,5,5", [0, 0, 5, 5]),
    ],
)
def test_a_box_is_these_pixels(api: Client, box: str, expected: Region) -> None:
    shown, output = api.pixels(DATA, box=box)
    assert output["region"] == expected
    assert output["notes"] == []
    assert (shown == cut(PIXELS, expected)).all()


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ("-10,-10,30,30", [0, 0, 20, 20]),
        ("390,290,50,50", [390, 290, 10, 10]),
        ("-100,-100,1000,1000", [0, 0, 400, 300]),
        ("-10%,50%,20%,200%", [0, 150, 40, 150]),
    ],
)
def test_a_box_partly_outside_is_clamped_and_that_is_noted(
    api: Client, box: str, expected: Region
) -> None:
    shown, output = api.pixels(DATA, box=box)
    assert (output["region"], output["notes"]) == (expected, ["clamped"])
    assert (shown == cut(PIXELS, expected)).all()


# aspect and anchor


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"aspect": "1:1"}, [50, 0, 300, 300]),
        ({"aspect": "4:1"}, [0, 100, 400, 100]),
        ({"aspect": "0.5"}, [125, 0, 150, 300]),
        ({"aspect": "1:1", "anchor": "left"}, [0, 0, 300, 300]),
        ({"aspect": "1:1", "anchor": "bottom-right"}, [100, 0, 300, 300]),
        ({"aspect": "4:1", "anchor": "top"}, [0, 0, 400, 100]),
        ({"aspect": "4:1", "anchor": "bottom"}, [0, 200, 400, 100]),
        ({"aspect": "4:1", "anchor": "0.5,1"}, [0, 200, 400, 100]),
        ({"aspect": "1:1", "anchor": "0,0.5"}, [0, 0, 300, 300]),
        ({"aspect": "1:1", "box": "100,100,100,50"}, [100, 75, 100, 100]),
        ({"aspect": "1:1", "box": "0,0,100,50"}, [0, 0, 100, 100]),
        ({"aspect": "1:1", "box": "300,250,100,50"}, [300, 200, 100, 100]),
        ({"aspect": "1:1", "box": "0,0,400,50"}, [50, 0, 300, 300]),
        ({"aspect": "1:1", "box": "0,0,350,50"}, [25, 0, 300, 300]),
        ({"aspect": "4:1", "box": "0,100,10,200"}, [0, 150, 400, 100]),
    ],
)
def test_aspect_and_anchor_choose_the_region(api: Client, params: Json, expected: Region) -> None:
    shown, output = api.pixels(DATA, **params)
    assert output["region"] == expected
    assert (shown == cut(PIXELS, expected)).all()


# size, fit, enlarge


@pytest.mark.parametrize(
    ("params", "size", "expected"),
    [
        ({"size": "100x100"}, (100, 100), [50, 0, 300, 300]),
        ({"size": "100x100", "fit": "cover", "anchor": "right"}, (100, 100), [100, 0, 300, 300]),
        ({"size": "100x100", "fit": "contain"}, (100, 100), [0, 0, 400, 300]),
        ({"size": "100x100", "fit": "inside"}, (100, 75), [0, 0, 400, 300]),
        ({"size": "100x100", "fit": "stretch"}, (100, 100), [0, 0, 400, 300]),
        ({"size": "100x"}, (100, 75), [0, 0, 400, 300]),
        ({"size": "x150"}, (200, 150), [0, 0, 400, 300]),
        ({"size": "50x60", "box": "0,0,100,100"}, (50, 60), [0, 0, 100, 100]),
        ({"size": "50x25", "box": "0,0,100,100", "fit": "cover"}, (50, 25), [0, 25, 100, 50]),
        ({"size": "60x60", "box": "0,0,90,60", "aspect": "1:1"}, (60, 60), [0, 0, 90, 90]),
        ({"size": "30x30", "preset": "classic"}, (30, 30), [4, 60, 150, 120]),
        ({"preset": "classic"}, (300, 300), [4, 60, 150, 120]),
    ],
)
def test_size_and_fit(api: Client, params: Json, size: tuple[int, int], expected: Region) -> None:
    shown, output = api.pixels(DATA, **params)
    assert (output["width"], output["height"]) == size
    assert output["region"] == expected
    if params.get("fit") == "contain":
        return
    part = Image.fromarray(np.ascontiguousarray(cut(PIXELS, expected)))
    assert close(shown, np.asarray(part.resize(size, Image.Resampling.LANCZOS)), mean=6)


def test_contain_pads_with_the_background(api: Client) -> None:
    white = pictures.encode(np.full((30, 40, 3), 255, np.uint8))
    shown, _ = api.pixels(white, size="40x40", fit="contain", background="#102030")
    assert (shown[:5] == (0x10, 0x20, 0x30)).all()
    assert (shown[-5:] == (0x10, 0x20, 0x30)).all()
    assert (shown[5:35] == 255).all()


@pytest.mark.parametrize(
    ("params", "size"),
    [
        ({"size": "100x100"}, (30, 30)),
        ({"size": "100x100", "fit": "inside"}, (40, 30)),
        ({"size": "100x20", "fit": "stretch"}, (40, 20)),
        ({"size": "100x100", "fit": "contain"}, (100, 100)),
        ({"size": "100x"}, (40, 30)),
        ({"size": "20x15"}, (20, 15)),
    ],
)
def test_without_enlarge_nothing_is_scaled_up(
    api: Client, params: Json, size: tuple[int, int]
) -> None:
    data = pictures.png(40, 30)
    shown, output = api.pixels(data, enlarge="false", **params)
    assert (output["width"], output["height"]) == size
    assert "enlarged" not in output["notes"]
    if params.get("fit") == "contain":
        assert (shown[35:65, 30:70] == pictures.pattern(40, 30)).all()


def test_enlarging_is_noted(api: Client) -> None:
    assert api.pixels(pictures.png(40, 30), size="80x60")[1]["notes"] == ["enlarged"]
    assert api.pixels(pictures.png(40, 30), size="20x15")[1]["notes"] == []


# turning


@pytest.mark.parametrize(("rotate", "turns"), [(90, -1), (180, 2), (270, 1)])
def test_rotate_turns_clockwise_before_the_box(api: Client, rotate: int, turns: int) -> None:
    shown, output = api.pixels(DATA, rotate=rotate, box="10,20,30,40")
    assert output["region"] == [10, 20, 30, 40]
    assert (shown == cut(np.rot90(PIXELS, turns), (10, 20, 30, 40))).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "webp"])
def test_the_box_is_in_what_the_eye_sees(api: Client, orientation: int, kind: str) -> None:
    options = {"lossless": True, "exact": True} if kind == "webp" else {}
    data = pictures.oriented(PIXELS, orientation, kind, **options)
    job = api.crop(data, box="10,20,300,40", format="png")
    assert (job["source"]["width"], job["source"]["height"]) == (W, H)
    shown = pictures.decode(api.bytes_of(job))
    assert (shown == cut(PIXELS, (10, 20, 300, 40))).all()


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_jpegs_orientation_and_rotate_add_up(api: Client, orientation: int) -> None:
    photo = pictures.photo(320, 240)
    data = pictures.oriented(photo, orientation, "jpeg", quality=95)
    shown, output = api.pixels(data, rotate=90, box="0,0,50%,100%")
    assert output["region"] == [0, 0, 120, 320]
    assert close(shown, np.rot90(photo, -1)[:, :120], mean=6)


# formats


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("png", "png"), ("jpeg", "jpeg"), ("webp", "webp"), ("gif", "gif"), ("avif", "avif"),
     ("bmp", "png"), ("tiff", "png")],
)  # fmt: skip
def test_auto_keeps_the_format_where_it_can(api: Client, kind: str, expected: str) -> None:
    job = api.crop(pictures.encode(pictures.photo(40, 30), kind))
    assert (job["source"]["format"], job["outputs"][0]["format"]) == (kind, expected)
    with Image.open(io.BytesIO(api.bytes_of(job))) as image:
        assert image.format == expected.upper()


def test_quality_makes_smaller_files(api: Client) -> None:
    data = pictures.encode(pictures.photo(200, 150))
    sizes = [
        api.crop(data, format="jpeg", quality=quality)["outputs"][0]["bytes"]
        for quality in (10, 50, 95)
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] * 2 < sizes[2]


def test_alpha_is_kept_where_the_output_can(api: Client) -> None:
    data = pictures.translucent()
    for kind in ("png", "webp"):
        job = api.crop(data, format=kind)
        shown = pictures.decode(api.bytes_of(job))
        assert shown.shape[2] == 4
        assert (shown[:, 20:, 3] == 0).all()
        assert "alpha-flattened" not in job["outputs"][0]["notes"]


def test_alpha_is_laid_on_the_background_where_it_cannot(api: Client) -> None:
    job = api.crop(pictures.translucent(), format="jpeg", background="#ff0000", quality=95)
    assert "alpha-flattened" in job["outputs"][0]["notes"]
    shown = pictures.decode(api.bytes_of(job)).astype(int)
    assert abs(shown[10, 35] - (255, 0, 0)).max() < 8
    assert abs(shown[10, 5] - (0, 255, 0)).max() < 8


def test_cmyk_comes_out_in_the_right_colour(api: Client) -> None:
    shown, _ = api.pixels(pictures.cmyk())
    red, green, blue = shown[15, 20].astype(int)
    assert red < 60
    assert min(green, blue) > 120


@pytest.mark.parametrize("source", ["gif", "webp", "png", "avif"])
@pytest.mark.parametrize("target", ["gif", "webp", "png", "avif"])
def test_an_animation_stays_one(api: Client, source: str, target: str) -> None:
    data = pictures.animation(source, frames=4)
    job = api.crop(data, box="0,0,10,8", format=target)
    with Image.open(io.BytesIO(api.bytes_of(job))) as image:
        assert (image.n_frames, image.size) == (4, (10, 8))
    assert "animation-flattened" not in job["outputs"][0]["notes"]


def test_an_animation_becomes_its_first_frame_elsewhere_and_that_is_noted(api: Client) -> None:
    job = api.crop(pictures.animation("gif", frames=4), format="jpeg")
    assert "animation-flattened" in job["outputs"][0]["notes"]
    with Image.open(io.BytesIO(api.bytes_of(job))) as image:
        red, green, _ = image.getpixel((5, 5))
    assert red < 20
    assert green > 235


def test_nothing_but_pixels_comes_out(api: Client) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    gps = exif.get_ifd(0x8825)
    gps[1] = "N"
    picture = Image.fromarray(pictures.photo(64, 48))
    data = pictures.save(picture, "jpeg", exif=exif, comment=b"SecretComment")
    for kind in ("jpeg", "png", "webp", "avif"):
        job = api.crop(data, format=kind)
        made = api.bytes_of(job)
        assert b"Secret" not in made
        assert b"Exif" not in made
        assert "metadata-dropped" in job["outputs"][0]["notes"]


def test_a_large_photo_scaled_down_looks_like_a_full_decode(api: Client) -> None:
    data = pictures.jpeg(3000, 2000, quality=92)
    job = api.crop(data, box="4,100,1500,1200", size="300x300", quality=95)
    assert job["outputs"][0]["format"] == "jpeg"
    with Image.open(io.BytesIO(data)) as image:
        part = image.crop((4, 100, 1504, 1300)).resize((300, 300), Image.Resampling.LANCZOS)
    assert close(pictures.decode(api.bytes_of(job)), np.asarray(part), mean=3)
