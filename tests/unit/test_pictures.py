"""The tests' pictures are what they say."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests import pictures


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_oriented_file_shows_the_pixels(orientation: int) -> None:
    shown = pictures.pattern(7, 5)
    stored = Image.open(io.BytesIO(pictures.oriented(shown, orientation)))
    assert stored.size == ((7, 5) if orientation < 5 else (5, 7))
    assert np.array_equal(np.asarray(ImageOps.exif_transpose(stored)), shown)


def test_a_header_says_its_size() -> None:
    data = pictures.png_header(50_000, 3)
    assert int.from_bytes(data[16:20], "big") == 50_000
    with pytest.raises(OSError, match="truncated"):
        Image.open(io.BytesIO(pictures.png_header(300, 300))).load()


def test_many_frames_are_that_many() -> None:
    image = Image.open(io.BytesIO(pictures.many_frames(7)))
    assert image.n_frames == 7
    image.seek(6)
    image.load()


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_an_animation_has_its_frames(kind: str) -> None:
    image = Image.open(io.BytesIO(pictures.animation(kind, frames=5)))
    assert (image.n_frames, image.size) == (5, (40, 30))


def test_a_scan_bomb_has_that_many_scans_and_opens() -> None:
    data = pictures.scan_bomb(200)
    assert data.count(b"\xff\xda") == 200
    assert Image.open(io.BytesIO(data)).size == (64, 48)


def test_unlike_pictures_differ_in_their_bytes() -> None:
    assert len({pictures.unlike(i) for i in range(500)}) == 500


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_small_and_large() -> None:
    data = pictures.bomb()
    assert len(data) < 50_000
    assert Image.open(io.BytesIO(data)).size == (10_000, 10_000)
