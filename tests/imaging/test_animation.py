"""Animations: what is seen at any moment, for how long and how often, before and after."""

import io
import random
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import GifImagePlugin, Image

from cropsvc.model.limits import Limits
from tests import pictures
from tests.as_shown import gifs
from tests.imaging.engine import Pixels, crop, cut, difference, outputs

W, H = 80, 60
REGION = (7, 5, 40, 41)
BOX = "7,5,40,41"
TIMES = [100, 50, 30, 200, 70, 10]
Film = list[tuple[Pixels, int]]


def film(data: bytes) -> Film:
    """What is seen, in RGBA, and for how many milliseconds."""
    seen = []
    with Image.open(io.BytesIO(data)) as image:
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            image.load()
            rgba = np.asarray(image.convert("RGBA")).copy()
            rgba[rgba[..., 3] == 0] = 0
            seen.append((rgba, int(image.info.get("duration", 0))))
    return seen


def at(seen: Film, moment: int) -> Pixels:
    """What is seen at this millisecond."""
    for picture, time in seen:
        if moment < time:
            return picture
        moment -= time
    raise AssertionError("the film is over")


def loop(data: bytes) -> object:
    with Image.open(io.BytesIO(data)) as image:
        return image.info.get("loop")


def sprites(opaque: bool) -> list[Image.Image]:
    """A block that moves over a ground or over nothing; few colours, so that a GIF is exact."""
    made = []
    for index in range(len(TIMES)):
        frame = Image.new("RGBA", (W, H), (20, 90, 60, 255) if opaque else (0, 0, 0, 0))
        frame.paste((255, 40 * index, 0, 255), (5 * index, 5, 5 * index + 20, 40))
        made.append(frame)
    return made


def animated(frames: list[Image.Image], kind: str, **options: object) -> bytes:
    lossless = {"lossless": True} if kind == "webp" else {}
    return pictures.save(
        frames[0],
        kind,
        save_all=True,
        append_images=frames[1:],
        duration=TIMES,
        **lossless,
        **options,
    )


@dataclass(frozen=True)
class Drawn:
    """A frame of `raw_gif` in RGBA, where it goes, and what happens to it then."""

    pixels: Pixels
    offset: tuple[int, int]
    disposal: int


def raw_gif(seed: int) -> tuple[bytes, list[Drawn]]:
    """A GIF of partial frames with every disposal, own palettes and transparency, at random."""
    chance = random.Random(seed)
    body = b"GIF89a" + W.to_bytes(2, "little") + H.to_bytes(2, "little") + b"\x70\0\0"
    drawn = []
    for index in range(6):
        w, h = (W, H) if index == 0 else (chance.randrange(5, W), chance.randrange(5, H))
        offset = (chance.randrange(W - w + 1), chance.randrange(H - h + 1))
        picture = Image.new("P", (w, h), 0)
        picture.putpalette([chance.randrange(256) for _ in range(8 * 3)])
        for color in range(1, 8):
            left, top = chance.randrange(w), chance.randrange(h)
            picture.paste(color, (left, top, min(w, left + 20), min(h, top + 20)))
        disposal, transparent = chance.choice([0, 1, 2, 3]), chance.randrange(8)
        rgba = np.asarray(picture.convert("RGBA")).copy()
        rgba[np.asarray(picture) == transparent] = 0
        drawn.append(Drawn(rgba, offset, disposal))
        parts = GifImagePlugin.getdata(
            picture,
            offset,
            duration=TIMES[index],
            disposal=disposal,
            transparency=transparent,
            include_color_table=True,
        )
        body += b"".join(parts)
    return body + b";", drawn


def composed(drawn: list[Drawn]) -> Film:
    """What GIF89a says is seen: what a frame leaves is kept, cleared or restored."""
    screen = np.zeros((H, W, 4), np.uint8)
    seen = []
    for frame, time in zip(drawn, TIMES, strict=True):
        before = screen.copy()
        (x, y), (height, width) = frame.offset, frame.pixels.shape[:2]
        part = screen[y : y + height, x : x + width]
        opaque = frame.pixels[..., 3] > 0
        part[opaque] = frame.pixels[opaque]
        seen.append((screen.copy(), time))
        if frame.disposal == 2:
            part[:] = 0
        elif frame.disposal == 3:
            screen = before
    return seen


@pytest.mark.parametrize("opaque", [True, False], ids=["opaque", "transparent"])
@pytest.mark.parametrize("output", ["gif", "webp"])
@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_what_is_seen_at_any_moment_is_the_region(kind: str, output: str, opaque: bool) -> None:
    data = animated(sprites(opaque), kind, **({} if opaque or kind == "webp" else {"disposal": 2}))
    made = film(crop(data, format=output, box=BOX, quality="95").data)
    source = film(data)
    assert sum(time for _, time in made) == sum(time for _, time in source) == sum(TIMES)
    for moment in range(0, sum(TIMES), 5):
        expected, shown = cut(at(source, moment), REGION), at(made, moment)
        assert np.array_equal(shown[..., 3], expected[..., 3]), moment
        if output == "gif":
            assert np.array_equal(shown, expected), moment
        else:
            assert difference(shown[..., :3], expected[..., :3]) < 3, moment


@pytest.mark.parametrize("seed", range(25))
def test_every_disposal_is_kept_as_seen(seed: int) -> None:
    data, drawn = raw_gif(seed)
    source, made = composed(drawn), film(crop(data, box=BOX).data)
    for moment in range(0, sum(TIMES), 10):
        assert np.array_equal(at(made, moment), cut(at(source, moment), REGION)), moment


@pytest.mark.parametrize(
    ("kind", "said", "output", "expected"),
    [
        ("gif", {"loop": 0}, "gif", 0),
        ("gif", {}, "gif", None),
        ("gif", {"loop": 3}, "gif", 3),
        ("webp", {"loop": 0}, "webp", 0),
        ("webp", {"loop": 3}, "webp", 3),
        # a GIF counts repeats, a WebP plays (as libwebp's gif2webp has it)
        ("gif", {"loop": 0}, "webp", 0),
        ("gif", {}, "webp", 1),
        ("gif", {"loop": 3}, "webp", 4),
        ("webp", {"loop": 0}, "gif", 0),
        ("webp", {"loop": 1}, "gif", None),
        ("webp", {"loop": 4}, "gif", 3),
    ],
)
def test_it_is_shown_as_often(
    kind: str, said: dict[str, object], output: str, expected: int | None
) -> None:
    data = animated(sprites(True), kind, **said)
    assert loop(crop(data, format=output).data) == expected


def test_times_that_a_gif_cannot_hold_add_up_to_the_same() -> None:
    frames = sprites(True)
    data = pictures.save(
        frames[0], "webp", save_all=True, append_images=frames[1:], duration=33, lossless=True
    )
    times = [time for _, time in film(crop(data, format="gif").data)]
    assert sum(times) == 200  # 198, to a hundredth of a second
    assert set(times) <= {30, 40}


def test_alike_frames_and_long_times_keep_the_total() -> None:
    flat = Image.new("RGB", (20, 20), (10, 200, 30))
    other = Image.new("RGB", (20, 20), (200, 10, 30))
    times = [400_000, 500_000, 655_350, 100]
    data = pictures.save(
        flat, "webp", save_all=True, append_images=[flat.copy(), flat.copy(), other], duration=times
    )
    made = film(crop(data, format="gif").data)
    assert sum(time for _, time in made) == sum(times)
    assert abs(at(made, sum(times) - 50)[0, 0].astype(int) - (200, 10, 30, 255)).max() < 8


@pytest.mark.parametrize("output", ["gif", "webp"])
def test_frames_are_scaled_padded_and_turned_alike(output: str) -> None:
    data = animated(sprites(True), "gif")
    made = crop(data, size="90x60", fit="contain", rotate="90", format=output, background="#ff00ff")
    for picture, _ in film(made.data):
        assert picture.shape == (60, 90, 4)
        assert abs(picture[30, 2].astype(int) - (255, 0, 255, 255)).max() < 12


def test_an_oriented_webp_animation_is_turned() -> None:
    exif = Image.Exif()
    exif[pictures.ORIENTATION] = 6
    data = animated(sprites(True), "webp", exif=exif.tobytes())
    source, made = film(data), film(crop(data, format="gif").data)
    assert np.array_equal(at(made, 0), np.rot90(at(source, 0), -1))


@pytest.mark.parametrize("kind", ["gif", "webp", "png", "avif"])
def test_elsewhere_the_first_frame_is_left_and_that_is_noted(kind: str) -> None:
    frames = [frame.convert("RGB") for frame in sprites(True)]
    data = pictures.save(
        frames[0], kind, save_all=True, append_images=frames[1:], duration=100, quality=95
    )
    made = crop(data, format="jpeg", quality="95")
    assert made.notes == ("animation-flattened",)
    with Image.open(io.BytesIO(made.data)) as image:
        assert getattr(image, "n_frames", 1) == 1
        assert difference(np.asarray(image.convert("RGB")), np.asarray(frames[0])) < 3


def test_several_animated_outputs_and_a_still_come_of_one_upload() -> None:
    data = animated(sprites(True), "gif")
    entries = [{"format": "gif"}, {"format": "webp", "size": "20x"}, {"format": "jpeg"}, {}]
    made = outputs(data, *entries)
    counts = []
    for one in made:
        assert one.error is None
        counts.append(len(film(one.data)))
    assert counts == [6, 6, 1, 6]
    assert [("animation-flattened" in one.notes) for one in made] == [False, False, True, False]
    assert made[0].data == made[3].data


def test_a_gif_without_a_trailer_has_the_frames_that_are_there() -> None:
    second = gifs.frame((5, 5, 9, 9), transparent=3)
    data = gifs.gif(gifs.frame(gifs.FULL), second, end=b"")
    assert len(film(crop(data).data)) == 2


@pytest.mark.parametrize("disposal", range(8))
def test_a_disposal_of_2_clears_to_transparent_and_3_restores(disposal: int) -> None:
    data = dict(gifs.files())[f"disposal-{disposal}"]
    second = film(crop(data).data)[1][0]
    inside, outside = second[9, 9], second[25, 35]
    assert inside[3] == 255
    assert outside[3] == (0 if disposal in (2, 3, 4) else 255)


def test_progress_counts_the_frames() -> None:
    heard: list[tuple[str, float]] = []
    outputs(animated(sprites(True), "gif"), report=lambda stage, at: heard.append((stage, at)))
    fractions = [fraction for _, fraction in heard]
    assert fractions == sorted(fractions)
    assert len(set(fractions)) >= 6
    assert [stage for stage, _ in heard][:2] == ["decoding", "cropping"]


def test_a_long_animation_is_written_in_the_memory_of_a_frame() -> None:
    """500 frames of 100x100 within the caps; tests/imaging/test_memory.py has the bound."""
    frames = [Image.new("P", (100, 100), index % 7) for index in range(500)]
    for frame in frames:
        frame.putpalette(list(range(21)))
    data = pictures.save(frames[0], "gif", save_all=True, append_images=frames[1:], duration=20)
    made = film(crop(data, size="50x50", limits=Limits(pixels=5_000_000)).data)
    assert (len(made), sum(time for _, time in made)) == (500, 10_000)


def test_a_ground_that_goes_away_is_gone() -> None:
    """Opaque frames that differ a little, then one with holes: nothing may stay beneath it."""
    ground = sprites(True)
    frames = [*ground[:3], sprites(False)[3], *ground[4:]]
    data = animated(frames, "webp")
    made = film(crop(data, format="gif").data)
    moment = sum(TIMES[:3])
    assert np.array_equal(at(made, moment - 1), at(film(data), moment - 1))
    assert np.array_equal(at(made, moment), at(film(data), moment))
    assert np.array_equal(at(made, moment + TIMES[3]), at(film(data), moment + TIMES[3]))
