"""CPU time against bytes at equal SSIM, for each step of each encoder: `python -m bench.effort`.

A photo, a screenshot and a graphic with alpha, 600x500 each. The step of `balanced` at the default
quality sets the SSIM. The others get the quality that reaches it; where it lies between two whole
numbers, so do their bytes. `effort` takes the knees of these curves. CPU time can be measured on
a busy machine; the least of several rounds counts.
"""

import io
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from skimage import data
from skimage.metrics import structural_similarity

from cropsvc.imaging.formats import OUTPUTS

ROUNDS = 7
SIDES = (600, 500)
Options = dict[str, object]
STEPS: dict[str, dict[str, Options]] = {
    "PNG": {f"level {n}": {"compress_level": n} for n in (1, 2, 3, 4, 6, 9)},
    "JPEG": {
        "plain": {"subsampling": 2},
        "optimized": {"subsampling": 2, "optimize": True},
        "progressive": {"subsampling": 2, "optimize": True, "progressive": True},
    },
    "WEBP": {f"method {n}": {"method": n} for n in (0, 1, 2, 3, 4, 5, 6)},
    "AVIF": {f"speed {n}": {"speed": n, "max_threads": 1} for n in (10, 9, 8, 7, 6, 5)},
}
BALANCED = {"PNG": "level 4", "JPEG": "plain", "WEBP": "method 2", "AVIF": "speed 8"}
BALANCED_WITH_ALPHA = {**BALANCED, "WEBP": "method 4"}


@dataclass(frozen=True)
class Written:
    """A file: its CPU time in milliseconds, its bytes, its likeness to the image."""

    ms: float
    size: float
    ssim: float


def photo() -> Image.Image:
    """Return a photo."""
    return Image.fromarray(data.astronaut()).resize(SIDES)


def screenshot() -> Image.Image:
    """Return flat colours, lines and text."""
    image = Image.new("RGB", SIDES, "#f6f7f9")
    draw = ImageDraw.Draw(image)
    for row in range(0, 500, 20):
        draw.rectangle((10, row, 590, row + 15), fill="#ffffff", outline="#c9ced6")
        draw.text(
            (16, row + 2), f"Row {row}: the quick brown fox, {row * 7919 % 10007}", fill="#222"
        )
    return image


def graphic() -> Image.Image:
    """Return a photo with soft transparency around it."""
    image = photo().convert("RGBA")
    y, x = np.mgrid[0:500, 0:600]
    alpha = (255 * np.clip(1.6 - np.hypot((x - 300) / 250, (y - 250) / 210), 0, 1)).astype("uint8")
    image.putalpha(Image.fromarray(alpha))
    return image


def written(image: Image.Image, kind: str, options: Options, rounds: int = 1) -> Written:
    """Return the file that these options give."""
    times = []
    for _ in range(rounds):
        buffer, began = io.BytesIO(), time.process_time()
        image.save(buffer, kind, **options)
        times.append((time.process_time() - began) * 1000)
    back = Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")
    pair = [np.asarray(one) for one in (image.convert("RGB"), back)]
    return Written(min(times), len(buffer.getvalue()), structural_similarity(*pair, channel_axis=2))


def as_alike(image: Image.Image, kind: str, options: Options, wanted: float) -> Written:
    """Return the file of the quality that reaches the *wanted* SSIM, its bytes interpolated."""
    low, high = 20, 95
    tried = {at: written(image, kind, {**options, "quality": at}) for at in (low, high)}
    while high - low > 1:
        middle = (low + high) // 2
        tried[middle] = written(image, kind, {**options, "quality": middle})
        low, high = (middle, high) if tried[middle].ssim < wanted else (low, middle)
    under, over = tried[low], tried[high]
    share = (wanted - under.ssim) / (over.ssim - under.ssim) if over.ssim > under.ssim else 1.0
    timed = written(image, kind, {**options, "quality": high}, ROUNDS)
    return Written(timed.ms, under.size + share * (over.size - under.size), wanted)


def rows(kind: str, image: Image.Image) -> dict[str, Written]:
    """Return each step's file, all equally alike."""
    steps, balanced = STEPS[kind], BALANCED_WITH_ALPHA if image.mode == "RGBA" else BALANCED
    quality = OUTPUTS[kind.lower()].default_quality
    if quality is None:
        return {step: written(image, kind, options, ROUNDS) for step, options in steps.items()}
    first = written(image, kind, {**steps[balanced[kind]], "quality": quality})
    return {step: as_alike(image, kind, options, first.ssim) for step, options in steps.items()}


def main() -> int:
    """Print a table for each format and picture; times and bytes also relative to `balanced`."""
    pictures: dict[str, Callable[[], Image.Image]] = {
        "photo": photo, "screenshot": screenshot, "graphic with alpha": graphic,
    }  # fmt: skip
    print("| format | picture | step | CPU ms | bytes | SSIM | time | bytes |")
    print("|---|---|---|---|---|---|---|---|")
    for kind in STEPS:
        for name, make in pictures.items():
            image = make().convert("RGB") if kind == "JPEG" else make()
            if kind == "JPEG" and name == "graphic with alpha":
                continue  # JPEG holds no alpha
            found = rows(kind, image)
            base = found[(BALANCED_WITH_ALPHA if image.mode == "RGBA" else BALANCED)[kind]]
            for step, one in found.items():
                print(
                    f"| {kind} | {name} | {step} | {one.ms:.1f} | {one.size:,.0f} | {one.ssim:.4f} "
                    f"| x{one.ms / base.ms:.2f} | {one.size / base.size - 1:+.1%} |",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
