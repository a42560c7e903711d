"""The pictures that are cropped, and what is cut out of them."""

import io
import itertools
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, ImageStat
from PIL.ImageChops import difference
from skimage.metrics import structural_similarity

from bench.places import IMAGES, PHOTOS
from bench.results import BenchError
from cropsvc.imaging.params.parser import CropRequest, parse

SIDE = 300  # pixels of every result
MOST_DIFFERENCE = 12.0  # of 255, mean over all pixels, between two servers' same crop: sharp puts
# a 6 MP photo of running water half a pixel aside (10.2); a whole pixel aside is 21
_RUN = secrets.token_bytes(8)
_numbers: Iterator[int] = itertools.count()


Sides = tuple[int, int]


@dataclass(frozen=True)
class Case:
    """A picture and a region of it: left, top, width, height in pixels; what is made of it."""

    name: str
    words: str
    file: str
    region: tuple[int, int, int, int]
    sides: Sides = (SIDE, SIDE)
    output: str = "auto"

    @property
    def quality(self) -> int:
        """The quality that every server is asked for; PNG has none."""
        return 60 if self.output == "avif" else 82

    @property
    def path(self) -> Path:
        """Where the picture lies; made on first use."""
        path = IMAGES / self.file
        if not path.exists():
            IMAGES.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_MAKERS[self.file]())
        return path

    @property
    def data(self) -> bytes:
        """The picture's bytes."""
        return _read(self.path)

    @property
    def content_type(self) -> str:
        """For an upload's header."""
        return "image/png" if self.file.endswith(".png") else "image/jpeg"

    def parameters(self) -> dict[str, str]:
        """The crop in our API's words. `cover` is what thumbor does with a region and a size."""
        return {
            "box": ",".join(map(str, self.region)),
            "size": "{}x{}".format(*self.sides),
            "fit": "cover",
            **({} if self.output == "auto" else {"format": self.output}),
        }

    def request(self) -> CropRequest:
        """The crop, parsed."""
        return parse(self.parameters().items())


def tail() -> bytes:
    """Bytes to append after a picture's end: never the same twice, so nothing is a repeat."""
    return _RUN + next(_numbers).to_bytes(8, "big")


def fresh(case: Case) -> bytes:
    """The picture's bytes with an unseen SHA-256."""
    return case.data + tail()


def check(body: bytes, sides: Sides = (SIDE, SIDE)) -> Image.Image:
    """The decoded result; raises BenchError unless it is a picture of the asked size."""
    image = Image.open(io.BytesIO(body))
    image.load()
    if image.size != sides:
        raise BenchError(f"a result of {image.size} instead of {sides}")
    return image


def check_alike(ours: bytes, theirs: bytes, sides: Sides = (SIDE, SIDE)) -> float:
    """The mean difference (0-255) of two results; raises BenchError if not the same crop."""
    apart = difference(_shown(check(ours, sides)), _shown(check(theirs, sides)))
    mean = sum(ImageStat.Stat(apart).mean) / 3
    if mean > MOST_DIFFERENCE:
        raise BenchError(f"not the same crop: the results differ by {mean:.1f} of 255")
    return mean


def likeness(body: bytes, case: Case) -> float:
    """The SSIM of a result with the plain way's pixels: all decoded, cut, scaled by Lanczos."""
    left, top, width, height = case.region
    with Image.open(case.path) as picture:
        part = picture.crop((left, top, left + width, top + height))
    plain = ImageOps.fit(part, case.sides, Image.Resampling.LANCZOS)
    shown = np.asarray(_shown(check(body, case.sides)))
    return float(structural_similarity(shown, np.asarray(_shown(plain)), channel_axis=2))


def _shown(image: Image.Image) -> Image.Image:
    """The picture on white."""
    return Image.alpha_composite(
        Image.new("RGBA", image.size, "white"), image.convert("RGBA")
    ).convert("RGB")


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()


def _small() -> bytes:
    with Image.open(PHOTOS / "sunset-12mp.jpg") as photo:
        cut = photo.crop((0, 0, 3797, 2848)).resize((640, 480), Image.Resampling.LANCZOS)
    return _saved(cut, "JPEG", quality=85)


def _alpha() -> bytes:
    with Image.open(PHOTOS / "sunset-12mp.jpg") as photo:
        picture = photo.resize((900, 600), Image.Resampling.LANCZOS)
    picture.putalpha(Image.radial_gradient("L").resize(picture.size))
    return _saved(picture, "PNG")


def _saved(image: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


_MAKERS = {
    "small.jpg": _small,
    "alpha.png": _alpha,
    "6mp.jpg": (PHOTOS / "stream-6mp.jpg").read_bytes,
    "12mp.jpg": (PHOTOS / "sunset-12mp.jpg").read_bytes,
}

SMALL = Case("small", "640x480 JPEG, whole", "small.jpg", (0, 0, 640, 480))
ALPHA = Case("alpha", "900x600 PNG with alpha, 600x500", "alpha.png", (150, 50, 600, 500))
MP6 = Case("6mp", "6 MP JPEG, 1500x1200", "6mp.jpg", (700, 400, 1500, 1200))
MP12 = Case("12mp", "12 MP JPEG, 2400x2400", "12mp.jpg", (900, 200, 2400, 2400))
REGION = Case("region", "640x480 JPEG, 300x300 region", "small.jpg", (170, 90, 300, 300))
PNG = Case(
    "png", "900x600 PNG with alpha, 600x500 -> PNG", "alpha.png", (150, 50, 600, 500), (600, 500)
)
_LARGE = (344, 128, 2400, 1800)
WEBP = Case("webp", "6 MP JPEG, 2400x1800 -> 800x600 WebP", "6mp.jpg", _LARGE, (800, 600), "webp")
AVIF = Case("avif", "the same -> AVIF", "6mp.jpg", _LARGE, (800, 600), "avif")
CASES = {case.name: case for case in (SMALL, ALPHA, MP6, MP12, REGION, PNG, WEBP, AVIF)}
