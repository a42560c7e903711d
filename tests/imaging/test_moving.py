"""Animations in and out: GIF, WebP, APNG and AVIF, each to each."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cropsvc.imaging.headers.avif_plays import plays_of, with_plays
from cropsvc.imaging.headers.probe import probe
from cropsvc.model.errors import TooComplex, TooManyPixels
from cropsvc.model.limits import Limits
from tests.imaging.engine import crop, difference, opened, over_white

KINDS = ("gif", "webp", "png", "avif")
TIMES = (100, 200, 70, 1300)


def squares() -> list[Image.Image]:
    """Frames with a square that moves over a changing ground, and a hole in one of them."""
    frames = []
    for index in range(len(TIMES)):
        pixels = np.zeros((40, 60, 4), np.uint8)
        pixels[..., 0], pixels[..., 3] = index * 50, 255
        pixels[5:15, 5 + index * 8 : 15 + index * 8, 1] = 255
        if index == 2:
            pixels[20:30, 20:30, 3] = 0
        frames.append(Image.fromarray(pixels))
    return frames


def endless_avif() -> bytes:
    first, *others = squares()
    buffer = BytesIO()
    first.save(buffer, "AVIF", save_all=True, append_images=others, duration=list(TIMES))
    return buffer.getvalue()


def moving(kind: str) -> bytes:
    first, *others = squares()
    buffer = BytesIO()
    options = {"gif": {"disposal": 2}, "webp": {"lossless": True}, "avif": {"quality": 95}}
    loop = {} if kind == "avif" else {"loop": 3}
    first.save(
        buffer, kind.upper(), save_all=True, append_images=others, duration=list(TIMES),
        **loop, **options.get(kind, {}),
    )  # fmt: skip
    return with_plays(buffer.getvalue(), 3) if kind == "avif" else buffer.getvalue()


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("output", KINDS)
def test_each_kind_of_animation_goes_to_each(source: str, output: str) -> None:
    made = crop(moving(source), format=output, box="2,2,50,30", quality="95")
    assert made.error is None
    assert "animation-flattened" not in made.notes
    shown = opened(made)
    assert shown.n_frames == len(TIMES)  # type: ignore[attr-defined]
    times = []
    for index, frame in enumerate(squares()):
        shown.seek(index)
        shown.load()
        times.append(round(shown.info["duration"]))
        pair = [over_white(one) for one in (shown.convert("RGBA"), frame.crop((2, 2, 52, 32)))]
        lossless = {source, output} <= {"gif", "png"} or (source, output) == ("webp", "png")
        assert difference(*pair) < (0.5 if lossless else 6), index
    assert times == list(TIMES)
    plays = plays_of(made.data) if output == "avif" else shown.info["loop"] + (output == "gif")
    assert plays == 3 + (source == "gif")


@pytest.mark.parametrize("plays", [0, 1, 2, 65_536])
def test_an_avif_says_how_often_it_is_shown(plays: int) -> None:
    data = with_plays(moving("avif"), plays) if plays else endless_avif()
    assert plays_of(data) == plays
    assert plays_of(crop(data, size="30x").data) == plays


def test_a_broken_edit_list_is_shown_without_end() -> None:
    data = moving("avif")
    place = data.index(b"elst") + 4
    for broken in (data[: place + 2], data[: place + 8] + bytes(8) + data[place + 16 :]):
        assert plays_of(broken) == 0


@pytest.mark.parametrize("kind", ["png", "avif"])
def test_auto_keeps_the_kind_of_animation(kind: str) -> None:
    made = crop(moving(kind))
    assert (made.format, opened(made).n_frames) == (kind, len(TIMES))  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_frames_are_refused_by_the_header(kind: str) -> None:
    with pytest.raises(TooComplex):
        probe(moving(kind), Limits(frames=3))


@pytest.mark.parametrize("kind", KINDS)
def test_the_pixels_of_all_frames_count(kind: str) -> None:
    with pytest.raises(TooManyPixels):
        probe(moving(kind), Limits(pixels=40 * 60 * 4 - 1))


def test_a_frame_that_does_not_change_is_kept_with_its_time() -> None:
    frame = squares()[0]
    buffer = BytesIO()
    frame.save(
        buffer, "WEBP", save_all=True, append_images=[squares()[1]] * 2, duration=[50, 60, 70],
        lossless=True, minimize_size=False, allow_mixed=False,
    )  # fmt: skip
    shown = opened(crop(buffer.getvalue(), format="png"))
    total = 0
    for index in range(shown.n_frames):  # type: ignore[attr-defined]
        shown.seek(index)
        total += round(shown.info["duration"])
    assert total == 180
