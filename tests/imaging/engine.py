"""The engine as tests call it, and what they compare its pixels with."""

import io
import json
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from cropsvc.imaging.params.parser import parse
from cropsvc.imaging.render.render import Rendered, render
from cropsvc.model.limits import Limits

Pixels = NDArray[np.uint8]
LIMITS = Limits()


def silent(stage: str, fraction: float) -> None:
    """Progress that nobody hears."""


def outputs(
    data: bytes,
    *entries: dict[str, object],
    limits: Limits = LIMITS,
    report: Callable[[str, float], None] = silent,
    **common: str,
) -> list[Rendered]:
    """What *entries* of `outputs`, or the *common* parameters alone, give."""
    pairs: list[tuple[str, object]] = list(common.items())
    if entries:
        pairs.append(("outputs", json.dumps(entries)))
    return render(data, parse(pairs), limits, report)


def crop(data: bytes, limits: Limits = LIMITS, **params: str) -> Rendered:
    """One output that must succeed."""
    rendered = outputs(data, limits=limits, **params)[0]
    if rendered.error:
        raise rendered.error
    return rendered


def opened(rendered: Rendered) -> Image.Image:
    """The output, decoded."""
    image = Image.open(io.BytesIO(rendered.data))
    image.load()
    assert image.size == (rendered.width, rendered.height)
    return image


def pixels(data: bytes, **params: str) -> Pixels:
    """The RGB (or RGBA) pixels of one PNG output."""
    image = opened(crop(data, format="png", **params))
    return np.asarray(image.convert("RGBA" if image.mode in ("LA", "RGBA", "PA") else "RGB"))


def decoded(data: bytes) -> Pixels:
    """What Pillow alone decodes, as stored, in RGB."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def difference(one: Pixels, other: Pixels) -> float:
    """The mean CIEDE2000 of two RGB pictures; 1 is just noticeable."""
    return float(deltaE_ciede2000(rgb2lab(one), rgb2lab(other)).mean())


def over_white(image: Image.Image) -> Pixels:
    """RGB as seen on white."""
    under = Image.new("RGBA", image.size, (255, 255, 255, 255))
    under.alpha_composite(image.convert("RGBA"))
    return np.asarray(under.convert("RGB"))


def cut(shown: Pixels, region: tuple[int, int, int, int]) -> Pixels:
    """The region of a picture, by slicing."""
    x, y, width, height = region
    return shown[y : y + height, x : x + width]
