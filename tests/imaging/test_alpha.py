"""Alpha: kept, flattened on the background, and scaled without dark fringes."""

import numpy as np
import pytest
from PIL import Image

from tests import pictures
from tests.imaging.engine import crop, opened, outputs, pixels


def disc(size: int = 64) -> Image.Image:
    """A white opaque disc on transparent black: the picture that shows dark fringes."""
    y, x = np.mgrid[0:size, 0:size]
    inside = (x - size / 2 + 0.5) ** 2 + (y - size / 2 + 0.5) ** 2 < (size * 0.4) ** 2
    rgba = np.zeros((size, size, 4), np.uint8)
    rgba[inside] = 255
    return Image.fromarray(rgba)


@pytest.mark.parametrize("size", ["20x20", "37x23", "150x150"])
@pytest.mark.parametrize("output", ["png", "jpeg"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_scaling_leaves_no_dark_fringe(size: str, output: str, mode: str) -> None:
    data = pictures.save(disc().convert(mode), "png")
    made = opened(crop(data, size=size, format=output, fit="stretch", quality="95"))
    shown = np.asarray(made.convert("RGBA"))
    visible = shown[shown[..., 3] > 8]
    assert visible[..., :3].min() >= 250


def test_a_palettes_transparency_is_scaled_without_fringe_too() -> None:
    palette = Image.new("P", (64, 64), 0)
    palette.putpalette([0, 0, 0, 255, 255, 255])
    palette.paste(1, mask=disc().getchannel("A"))
    data = pictures.save(palette, "gif", transparency=0)
    shown = pixels(data, size="20x20")
    assert shown[shown[..., 3] > 8][..., :3].min() >= 250


@pytest.mark.parametrize(
    ("background", "expected"),
    [
        ("#ffffff", (255, 255, 255)),
        ("#102030", (16, 32, 48)),
        ("#102030ff", (16, 32, 48)),
        ("#00000000", (255, 255, 255)),  # what shows through a see-through ground is paper
        ("#00000080", (127, 127, 127)),
    ],
)
def test_alpha_is_flattened_on_the_background(
    background: str, expected: tuple[int, int, int]
) -> None:
    made = crop(pictures.save(disc(), "png"), format="jpeg", quality="95", background=background)
    assert "alpha-flattened" in made.notes
    shown = np.asarray(opened(made)).astype(int)
    assert abs(shown[2, 2] - expected).max() <= 2
    assert abs(shown[32, 32] - 255).max() <= 2


def test_alpha_that_hides_nothing_is_not_called_flattened() -> None:
    picture = np.full((20, 20, 4), 255, np.uint8)
    assert crop(pictures.encode(picture), format="jpeg").notes == ()


@pytest.mark.parametrize("output", ["png", "webp", "avif", "gif"])
def test_padding_may_be_transparent(output: str) -> None:
    data = pictures.encode(np.full((10, 20, 3), 200, np.uint8))
    made = crop(
        data, size="20x20", fit="contain", background="#00000000", format=output, quality="95"
    )
    alpha = np.asarray(opened(made).convert("RGBA"))[..., 3]
    assert (alpha[:4] == 0).all()
    assert (alpha[-4:] == 0).all()
    assert (alpha[6:14] == 255).all()


@pytest.mark.parametrize("moving", [False, True], ids=["still", "moving"])
@pytest.mark.parametrize(
    ("alpha", "seen", "notes"),
    [
        ("ff", (255, 0, 0, 255), ()),
        ("c0", (255, 0, 0, 255), ("alpha-flattened",)),
        ("80", (255, 0, 0, 255), ("alpha-flattened",)),
        ("7f", (0, 0, 0, 0), ("alpha-flattened",)),
        ("00", (0, 0, 0, 0), ()),
    ],
)
def test_padding_of_a_gif_shows_or_not_as_its_pixels_do(
    alpha: str, seen: tuple[int, ...], notes: tuple[str, ...], moving: bool
) -> None:
    data = pictures.animation("gif") if moving else pictures.png()
    made = crop(data, size="80x30", fit="contain", background=f"#ff0000{alpha}", format="gif")
    shown = opened(made)
    for frame in range(4 if moving else 1):
        shown.seek(frame)
        padding = np.asarray(shown.convert("RGBA"))[:, [0, 19, 60, 79]]
        assert (padding[..., 3] == seen[3]).all()
        assert (padding[padding[..., 3] > 0] == seen).all()
    assert made.notes == notes


def test_padding_does_not_lie_under_kept_alpha() -> None:
    made = crop(pictures.save(disc(), "png"), size="64x80", fit="contain", background="#ff0000")
    shown = np.asarray(opened(made))
    assert (shown[0, 0] == (255, 0, 0, 255)).all()
    assert shown[10, 2, 3] == 0  # the picture's own transparent corner


def test_a_gif_shows_a_pixel_or_not_and_says_so() -> None:
    ramp = np.zeros((4, 256, 4), np.uint8)
    ramp[..., 0] = 200
    ramp[..., 3] = np.arange(256)
    made = crop(pictures.encode(ramp), format="gif")
    shown = np.asarray(opened(made).convert("RGBA"))
    assert (shown[..., 3] == np.where(np.arange(256) >= 128, 255, 0)).all()
    assert (shown[shown[..., 3] == 255] == (200, 0, 0, 255)).all()
    assert "alpha-flattened" in made.notes
    assert crop(pictures.save(disc(), "png"), format="gif").notes == ()


def test_one_outputs_alpha_is_not_spoiled_by_another() -> None:
    ramp = np.zeros((32, 256, 4), np.uint8)
    ramp[..., 3] = np.arange(256)
    data = pictures.encode(ramp)
    made = outputs(data, {"format": "gif"}, {"format": "jpeg"}, {"format": "png"})
    assert np.array_equal(np.asarray(opened(made[2])), ramp)
