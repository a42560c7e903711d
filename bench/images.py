"""The pictures that are cropped, and what is cut out of them."""

import io
import itertools
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image, ImageStat
from PIL.ImageChops import difference

from bench.places import IMAGES, PHOTOS
from bench.results import BenchError
from cropsvc.imaging.params.parser import CropRequest, parse

SIDE = 300  # pixels of every result
MOST_DIFFERENCE = 8.0  # of 255, mean over all pixels, between two servers' same crop
_RUN = secrets.token_bytes(8)
_numbers: Iterator[int] = itertools.count()


@dataclass(frozen=True)
class Case:
    """A picture and a region of it: left, top, width, height in pixels."""

    name: str
    words: str
    file: str
    region: tuple[int, int, int, int]

    @property
    def path(self) -> Path:
        """Where the picture lies; made on first use."""
        path = IMAGES / self.file
        if not path.exists():
            IMAGES.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_MAKERS[self.name]())
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
            "size": f"{SIDE}x{SIDE}",
            "fit": "cover",
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


def check(body: bytes) -> Image.Image:
    """The decoded result; raises BenchError unless it is a picture of the asked size."""
    image = Image.open(io.BytesIO(body))
    image.load()
    if image.size != (SIDE, SIDE):
        raise BenchError(f"a result of {image.size} instead of {SIDE}x{SIDE}")
    return image


def check_alike(ours: bytes, theirs: bytes) -> float:
    """The mean difference (0-255) of two results; raises BenchError if not the same crop."""
    apart = difference(check(ours).convert("RGB"), check(theirs).convert("RGB"))
    mean = sum(ImageStat.Stat(apart).mean) / 3
    if mean > MOST_DIFFERENCE:
        raise BenchError(f"not the same crop: the results differ by {mean:.1f} of 255")
    return mean


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
    "small": _small,
    "alpha": _alpha,
    "6mp": (PHOTOS / "stream-6mp.jpg").read_bytes,
    "12mp": (PHOTOS / "sunset-12mp.jpg").read_bytes,
}

SMALL = Case("small", "640x480 JPEG, whole", "small.jpg", (0, 0, 640, 480))
ALPHA = Case("alpha", "900x600 PNG with alpha, 600x500", "alpha.png", (150, 50, 600, 500))
MP6 = Case("6mp", "6 MP JPEG, 1500x1200", "6mp.jpg", (700, 400, 1500, 1200))
MP12 = Case("12mp", "12 MP JPEG, 2400x2400", "12mp.jpg", (900, 200, 2400, 2400))
CASES = {case.name: case for case in (SMALL, ALPHA, MP6, MP12)}
