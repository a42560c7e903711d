"""Encoding time against bytes for each step of each encoder: `python -m bench.effort`.

A photo, a screenshot and a graphic with alpha, 600x500 each; the quality is the default, so the
SSIM of a format's steps hardly differs; it is shown. `effort` takes the knees of these curves.
"""

import io
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from PIL import Image, ImageDraw
from skimage import data
from skimage.metrics import structural_similarity

ROUNDS = 5
SIDES = (600, 500)
Steps = dict[str, dict[str, object]]
STEPS: dict[str, Steps] = {
    "PNG": {f"level {n}": {"compress_level": n} for n in (1, 2, 3, 4, 6, 9)},
    "JPEG": {
        "plain": {"quality": 82, "subsampling": 2},
        "optimize": {"quality": 82, "subsampling": 2, "optimize": True},
        "progressive": {"quality": 82, "subsampling": 2, "optimize": True, "progressive": True},
    },
    "WEBP": {f"method {n}": {"quality": 82, "method": n} for n in (0, 1, 2, 3, 4, 6)},
    "AVIF": {
        f"speed {n}": {"quality": 60, "speed": n, "max_threads": 1} for n in (10, 9, 8, 7, 6, 5)
    },
}


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


def measured(image: Image.Image, kind: str, options: dict[str, object]) -> tuple[float, int, float]:
    """Return milliseconds, bytes and SSIM."""
    times = []
    for _ in range(ROUNDS):
        buffer, began = io.BytesIO(), time.perf_counter()
        image.save(buffer, kind, **options)
        times.append((time.perf_counter() - began) * 1000)
    back = Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")
    pair = [np.asarray(one) for one in (image.convert("RGB"), back)]
    return median(times), len(buffer.getvalue()), structural_similarity(*pair, channel_axis=2)


def main() -> int:
    """Print a table for each format and picture."""
    pictures: dict[str, Callable[[], Image.Image]] = {
        "photo": photo, "screenshot": screenshot, "graphic with alpha": graphic,
    }  # fmt: skip
    print("| format | picture | step | ms | bytes | SSIM |\n|---|---|---|---|---|---|")
    for kind, steps in STEPS.items():
        for name, make in pictures.items():
            image = make()
            if kind == "JPEG":
                image = image.convert("RGB")
            for step, options in steps.items():
                ms, size, ssim = measured(image, kind, options)
                print(f"| {kind} | {name} | {step} | {ms:.1f} | {size:,} | {ssim:.4f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
