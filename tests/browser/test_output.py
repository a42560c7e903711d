"""Size, format and quality; and the same request as a command."""

import json
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests import pictures
from tests.browser.crop_page import CropPage

PIXELS = pictures.photo(800, 600, seed=3)
MAGIC = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF", "gif": "GIF"}


@pytest.fixture
def on_photo(page: CropPage) -> CropPage:
    """The page with a photo of 800 x 600 on the stage and a box of 400 x 200."""
    page.choose("photo.png", pictures.encode(PIXELS))
    page.type_box((100, 50, 400, 200))
    return page


@pytest.mark.parametrize("kind", MAGIC)
def test_the_chosen_format_is_what_comes(on_photo: CropPage, kind: str, tmp_path: Path) -> None:
    on_photo.page.select_option("#format", kind)
    on_photo.crop()
    name, data = on_photo.downloaded()
    assert name == f"photo-crop.{'jpg' if kind == 'jpeg' else kind}"
    (tmp_path / name).write_bytes(data)
    with Image.open(tmp_path / name) as image:
        assert (image.format, image.size) == (MAGIC[kind], (400, 200))


def test_with_the_lock_one_side_leads_the_other(on_photo: CropPage) -> None:
    on_photo.page.fill("#size-w", "100")
    expect(on_photo.page.locator("#summary")).to_have_text("400 × 200 at 100, 50 → 100 × 50 PNG")
    on_photo.page.fill("#size-h", "30")
    expect(on_photo.page.locator("#summary")).to_contain_text("→ 60 × 30 PNG")
    on_photo.crop()
    assert on_photo.shown().shape == (30, 60, 3)


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
def test_without_the_lock_both_sides_hold_and_the_fit_decides(on_photo: CropPage, fit: str) -> None:
    on_photo.page.locator("#lock").uncheck(force=True)
    on_photo.page.fill("#size-w", "120")
    on_photo.page.fill("#size-h", "120")
    on_photo.page.select_option("#fit", fit)
    told = on_photo.page.inner_text("#summary")
    on_photo.crop()
    output = on_photo.job()["outputs"][0]
    x, y, width, height = output["region"]
    assert told == f"{width} × {height} at {x}, {y} → 120 × 120 PNG"
    assert on_photo.shown().shape == (120, 120, 3)
    assert (width == height) == (fit == "cover")


def test_quality_makes_the_file_smaller(on_photo: CropPage) -> None:
    on_photo.page.select_option("#format", "jpeg")
    on_photo.crop()
    usual = on_photo.job()["outputs"][0]["bytes"]
    on_photo.page.locator("#quality").fill("20")
    expect(on_photo.page.locator("#quality-value")).to_have_text("20")
    on_photo.crop()
    assert on_photo.job()["outputs"][0]["bytes"] < usual * 0.6


def test_quality_is_off_where_it_has_no_effect(on_photo: CropPage) -> None:
    expect(on_photo.page.locator("#quality")).to_be_disabled()
    on_photo.page.select_option("#format", "avif")
    expect(on_photo.page.locator("#quality-value")).to_have_text("60")


def test_the_curl_line_makes_the_same_bytes(on_photo: CropPage, tmp_path: Path) -> None:
    on_photo.page.fill("#size-w", "77")
    on_photo.page.select_option("#format", "webp")
    (tmp_path / "photo.png").write_bytes(pictures.encode(PIXELS))
    _run(on_photo.page.text_content("#curl") or "", tmp_path)
    on_photo.crop()
    assert (tmp_path / "crop.webp").read_bytes() == on_photo.downloaded()[1]


def test_the_curl_line_of_several_boxes_asks_for_all(on_photo: CropPage, tmp_path: Path) -> None:
    on_photo.page.click("#add")
    (tmp_path / "photo.png").write_bytes(pictures.encode(PIXELS))
    job = json.loads(_run(on_photo.page.text_content("#curl") or "", tmp_path))
    assert [output["name"] for output in job["outputs"]] == ["1", "2"]


def test_a_size_that_the_service_refuses_is_refused_at_the_field(on_photo: CropPage) -> None:
    on_photo.page.fill("#size-w", "20000")
    on_photo.submit()
    expect(on_photo.page.locator("#size-w-wrong")).to_contain_text("1 to 16384")
    expect(on_photo.page.locator("#size-w")).to_be_focused()
    expect(on_photo.page.locator("#job")).to_be_hidden()
    on_photo.page.fill("#size-w", "40")
    on_photo.crop()
    assert on_photo.shown().shape == (20, 40, 3)


def test_a_small_picture_is_cropped_to_a_single_pixel(page: CropPage) -> None:
    page.choose("dot.png", pictures.png(40, 30))
    page.type_box((7, 9, 1, 1))
    page.crop()
    assert np.array_equal(page.shown(), pictures.pattern(40, 30)[9:10, 7:8])


def _run(command: str, directory: Path) -> str:
    words = shlex.split(command.replace("\\\n", " "))
    assert words[0] == "curl"
    done = subprocess.run([*words, "-s"], cwd=directory, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
