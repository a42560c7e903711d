"""How often each anchor keeps a whole face: faces at known places on textures and photos.

`python -m bench.attention` prints a table. It needs the dev requirements, and pyvips-binary for
libvips' own `attention`. The portrait and the backgrounds come with scikit-image.
"""

import io
import random
import sys
from dataclasses import dataclass

import numpy
from PIL import Image, ImageEnhance, ImageFilter
from skimage import data

from cropsvc.imaging.attention.placement import Placement

CASES, SEED = 200, 17
PORTRAIT = (140, 0, 310, 300)  # head and shoulders in scikit-image's astronaut
FACE = (35, 55, 105, 135)  # the face in that cut: x, y, width, height
BACKGROUNDS = ("brick", "grass", "gravel", "coffee", "chelsea", "rocket", "retina",
               "hubble_deep_field", "camera", "moon")  # fmt: skip
RATIOS = ((1, 1), (9, 16), (3, 4), (2, 5))


@dataclass(frozen=True)
class Case:
    """An image, where its face is, and the sides of the region to place."""

    image: Image.Image
    face: tuple[int, int, int, int]
    sides: tuple[int, int]


def background(name: str) -> Image.Image:
    """Return scikit-image's picture as RGB."""
    return Image.fromarray(numpy.asarray(getattr(data, name)())).convert("RGB")


def case(rng: random.Random) -> Case:
    """Return one case: a background, a portrait on it, changed a little in size and light."""
    width, height = rng.choice(((1200, 500), (1280, 720), (500, 1200), (1000, 400)))
    under = background(rng.choice(BACKGROUNDS)).resize((width, height))
    scale = rng.uniform(0.35, 0.9) * min(width, height) / 400
    portrait = Image.fromarray(data.astronaut()).crop(PORTRAIT)
    x, y, w, h = (value * scale for value in FACE)
    sides = (round(portrait.width * scale), round(portrait.height * scale))
    portrait = portrait.resize(sides, Image.Resampling.LANCZOS)
    if rng.random() < 0.5:
        portrait = portrait.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        x = sides[0] - x - w
    portrait = ImageEnhance.Brightness(portrait).enhance(rng.uniform(0.6, 1.2))
    mask = Image.new("L", sides, 0)
    mask.paste(255, (4, 4, sides[0] - 4, sides[1] - 4))
    place = (rng.randint(0, max(0, width - sides[0])), rng.randint(0, max(0, height - sides[1])))
    under.paste(portrait, place, mask.filter(ImageFilter.GaussianBlur(3)))
    ratio = rng.choice(RATIOS) if width > height else (16, 9)
    cut = (min(width, round(height * ratio[0] / ratio[1])), height)
    if width < height:
        cut = (width, round(width * 9 / 16) if rng.random() < 0.5 else width)
    return Case(under, (round(x) + place[0], round(y) + place[1], round(w), round(h)), cut)


def kept(one: Case, centre: tuple[float, float]) -> bool:
    """Return whether a region of the case's sides around *centre* holds the whole face."""
    left = min(max(0, centre[0] - one.sides[0] / 2), one.image.width - one.sides[0])
    top = min(max(0, centre[1] - one.sides[1] / 2), one.image.height - one.sides[1])
    x, y, w, h = one.face
    return left <= x and top <= y and x + w <= left + one.sides[0] and y + h <= top + one.sides[1]


def by_vips(one: Case) -> tuple[float, float]:
    """Return the centre of libvips' `attention` crop."""
    import pyvips

    buffer = io.BytesIO()
    one.image.save(buffer, "PNG")
    image = pyvips.Image.new_from_buffer(buffer.getvalue(), "")
    cut = image.smartcrop(*one.sides, interesting="attention")
    return (-cut.xoffset + one.sides[0] / 2, -cut.yoffset + one.sides[1] / 2)


def main() -> int:
    """Print the share of faces kept by each way."""
    rng = random.Random(SEED)
    cases = [case(rng) for _ in range(CASES)]
    counts = dict.fromkeys(("center", "smart", "smart without faces", "face", "libvips"), 0)
    for one in cases:
        whole = (0, 0, *one.image.size)
        plain = Placement(one.image, one.image.size)
        plain.__dict__["_faces"] = ((), "")
        placement = Placement(one.image, one.image.size)
        middle = (one.image.width / 2, one.image.height / 2)
        ways = {
            "center": middle,
            "smart without faces": plain.centre("smart", one.sides, whole)[0],
            "smart": placement.centre("smart", one.sides, whole)[0],
            "face": placement.centre("face", one.sides, whole)[0],
            "libvips": by_vips(one),
        }
        for name, centre in ways.items():
            counts[name] += kept(one, centre)
    print(f"share of {CASES} faces that are wholly kept (seed {SEED})")
    for name, count in counts.items():
        print(f"| {name} | {count / CASES:.1%} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
