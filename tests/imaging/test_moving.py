"""Animations in and out: GIF, WebP, APNG and AVIF, each to each."""

import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cropsvc.imaging.geometry.validate import check
from cropsvc.imaging.headers.avif_plays import plays_of, with_plays
from cropsvc.imaging.headers.probe import MOST_FRAMES, probe
from cropsvc.imaging.params.parser import parse
from cropsvc.model.errors import CropError, TooComplex, TooManyPixels, Unreadable
from cropsvc.model.limits import Limits
from tests import pictures
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


def test_an_avif_moves_in_limited_range() -> None:
    """Chromium shows a sequence in full range with too much contrast."""
    data = crop(moving("gif"), format="avif").data
    ranges = [data[match.end() + 6] >> 7 for match in re.finditer(b"colrnclx", data)]
    assert set(ranges) == {0}
    still = crop(pictures.png(), format="avif").data
    assert still[still.index(b"colrnclx") + 14] >> 7 == 1


def test_a_broken_edit_list_is_shown_without_end() -> None:
    data = moving("avif")
    place = data.index(b"elst") + 4
    for broken in (data[: place + 2], data[: place + 8] + bytes(8) + data[place + 16 :]):
        assert plays_of(broken) == 0


@pytest.mark.parametrize("kind", ["png", "avif"])
def test_auto_keeps_the_kind_of_animation(kind: str) -> None:
    made = crop(moving(kind))
    assert (made.format, opened(made).n_frames) == (kind, len(TIMES))  # type: ignore[attr-defined]


TOO_FEW = {TooComplex: Limits(frames=3), TooManyPixels: Limits(pixels=40 * 60 * 4 - 1)}


@pytest.mark.parametrize("error", TOO_FEW, ids=lambda error: error.code)
@pytest.mark.parametrize("kind", KINDS)
def test_all_frames_count_for_an_animation_and_only_the_first_for_a_still(
    kind: str, error: type[CropError]
) -> None:
    data, limits = moving(kind), TOO_FEW[error]
    source = probe(data, limits)
    with pytest.raises(error, match="format=jpeg"):
        check(parse([("size", "30x")]), source, limits)
    check(parse([("format", "jpeg")]), source, limits)
    made = crop(data, limits, format="jpeg")
    assert made.notes[0] == "animation-flattened"
    assert difference(*map(over_white, (opened(made), squares()[0]))) < 6


def test_frames_beyond_all_reason_are_refused_for_a_still_too() -> None:
    assert crop(pictures.many_frames(2000), format="jpeg").width == 2
    with pytest.raises(TooComplex):
        probe(pictures.many_frames(MOST_FRAMES + 1), Limits())


@pytest.mark.parametrize("output", ["png", "jpeg"])
@pytest.mark.parametrize("kind", ["gif", "png"])
def test_an_animation_that_is_cut_off_is_shown_up_to_there(kind: str, output: str) -> None:
    data = moving(kind)
    part = data[: len(data) * 3 // 4]
    made = crop(part, format=output)
    assert "source-truncated" in made.notes
    assert getattr(opened(made), "n_frames", 1) in ((3, 2) if output == "png" else (1,))
    with pytest.raises(Unreadable):
        crop(part, format=output, strict="true")


@pytest.mark.parametrize(("kind", "mark"), [("gif", 1), ("gif", 2), ("png", 12)])
def test_an_animation_without_its_end_mark_is_complete(kind: str, mark: int) -> None:
    made = crop(moving(kind)[:-mark], strict="true")
    assert "source-truncated" not in made.notes
    assert opened(made).n_frames == len(TIMES)  # type: ignore[attr-defined]


def test_a_damaged_first_frame_of_an_apng_is_shown_as_far_as_it_goes() -> None:
    data = bytearray(moving("png"))
    place = data.index(b"IDAT")
    length = int.from_bytes(data[place - 4 : place], "big")
    data[place + 4 + length // 2 : place + 4 + length] = b"\xff" * (length - length // 2)
    made = crop(bytes(data), format="png")
    assert "source-truncated" in made.notes
    top = opened(made).convert("RGBA").crop((0, 0, 60, 5))
    assert difference(over_white(top), over_white(squares()[0].crop((0, 0, 60, 5)))) < 0.5


def test_a_damaged_frame_of_an_apng_leaves_the_one_before() -> None:
    data = bytearray(moving("png"))
    third = [match.start() for match in re.finditer(b"fdAT", bytes(data))][1] + 8
    data[third : third + 12] = bytes(12)
    made = crop(bytes(data), format="png")
    assert "source-truncated" in made.notes
    shown = opened(made)
    shown.seek(1)
    pair = [over_white(one) for one in (shown.convert("RGBA"), squares()[1])]
    assert difference(*pair) < 0.5
    with pytest.raises(Unreadable):
        crop(bytes(data), format="png", strict="true")


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
