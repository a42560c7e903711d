"""The main job: a photo, a box, the progress, the picture."""

from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import expect
from skimage.metrics import structural_similarity

from tests import pictures
from tests.browser.crop_page import CropPage

PHOTOS = Path(__file__).parents[1] / "photos"


def test_a_photo_goes_up_the_progress_moves_and_the_cropped_picture_is_shown(
    page: CropPage,
) -> None:
    photo = (PHOTOS / "sunset-12mp.jpg").read_bytes()
    page.choose("sunset.jpg", photo)
    page.type_box((4, 100, 3000, 2400))
    page.page.select_option("#format", "png")  # lossless, and slow enough to be watched
    page.watch_progress()
    page.crop()
    _check_progress(page.progress_seen())
    reference = pictures.decode(photo)[100:2500, 4:3004]
    assert np.array_equal(page.shown(), reference)


def _check_progress(seen: list[tuple[str, int]]) -> None:
    steps = list(dict.fromkeys(step for step, _ in seen))
    percentages = [value for _, value in seen]
    assert steps[0] == "upload"
    assert {"decoding", "cropping", "encoding"} & set(steps), steps
    assert percentages == sorted(percentages), "the bar went back"
    assert len(set(percentages)) >= 3, percentages


def test_a_photo_is_scaled_to_the_asked_size(page: CropPage) -> None:
    photo = (PHOTOS / "stream-6mp.jpg").read_bytes()
    page.choose("stream.jpg", photo)
    page.type_box((4, 100, 1500, 1500))
    page.page.fill("#size-w", "300")
    page.crop()
    shown = page.shown()
    region = Image.fromarray(pictures.decode(photo)[100:1600, 4:1504])
    small = region.resize((300, 300), Image.Resampling.LANCZOS)
    reference = pictures.decode(pictures.save(small, "jpeg", quality=82))
    assert shown.shape == (300, 300, 3)
    assert structural_similarity(shown, reference, channel_axis=2) >= 0.97


def test_the_sample_needs_no_file(page: CropPage) -> None:
    page.page.click("#sample")
    page.await_editor()
    page.type_box((10, 20, 300, 200))
    page.crop()
    assert page.shown().shape == (200, 300, 3)
    expect(page.page.locator("#outputs .facts")).to_contain_text("300 × 200 · JPEG")
