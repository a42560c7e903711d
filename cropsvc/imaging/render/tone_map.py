"""PQ and HLG to sRGB, as Chromium 156 shows them: SMPTE ST 2094-50's default tone mapping.

White of 203 nits (ITU-R BT.2408) becomes half of sRGB's light. From there a quadratic curve
leads to the brightest pixel, which becomes white. The gain follows the largest of red, green and
blue in BT.2020. The curve was read off 256 grays and 512 colours of each kind in Chromium; the
largest difference was 2 of 255.
"""

import math
from collections.abc import Callable

from PIL import ImageFilter

from cropsvc.imaging.headers.color import PQ, PRIMARIES, ColorDescription
from cropsvc.imaging.render.matrices import (
    Matrix,
    Vector,
    adapt_to_d50,
    applied,
    inverse,
    product,
    rgb_to_xyz,
)

WHITE_NITS = 203.0
SIDE = 33  # of the table's cube
HALF_FROM = 1000.0 / WHITE_NITS  # headroom from which white becomes half of the light
KAPPA = 0.65  # how far the curve's middle point lies from its knee


def _pq(v: float) -> float:
    """SMPTE ST 2084, in units of white."""
    power = v ** (32 / 2523)
    light = max(power - 0.8359375, 0.0) / (18.8515625 - 18.6875 * power)
    return 10_000 / WHITE_NITS * float(light ** (8192 / 1305))


def _hlg(v: float) -> float:
    """ITU-R BT.2100's inverse OETF, scene light from 0 to 1."""
    if v <= 0.5:
        return v * v / 3
    return (math.exp((v - 0.55991073) / 0.17883277) + 0.28466892) / 12


def _displayed(scene: Vector, weights: Vector) -> Vector:
    """BT.2100's OOTF for a screen of 1,000 nits, in units of white."""
    light = sum(w * s for w, s in zip(weights, scene, strict=True))
    gain = HALF_FROM * light**0.2 if light > 0 else 0.0
    return tuple(gain * value for value in scene)


def _shoulder(most: float) -> Callable[[float], float]:
    """Return the curve for an image whose brightest pixel is *most* times white."""
    headroom = math.log2(most) if most > 1 else 0.0
    knee = 1 - 0.5 * min(1.0, headroom / math.log2(HALF_FROM))
    middle = (1 - KAPPA + KAPPA / knee, (1 - KAPPA) * knee + KAPPA)

    def mapped(light: float) -> float:
        if light <= 1 or headroom == 0:
            return light * knee
        if light >= most:
            return 1.0
        a, b, c = 1 - 2 * middle[0] + most, 2 * (middle[0] - 1), 1 - light
        t = (-b + math.sqrt(b * b - 4 * a * c)) / (2 * a) if abs(a) > 1e-9 else -c / b
        return (1 - t) ** 2 * knee + 2 * t * (1 - t) * middle[1] + t * t

    return mapped


def _encoded(light: float) -> float:
    light = min(1.0, max(0.0, light))
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


def _to_d50(primaries: Vector) -> Matrix:
    return product(adapt_to_d50(primaries[:2]), rgb_to_xyz(primaries) or ())


def _between(source: Vector, target: Vector) -> Matrix:
    return product(inverse(_to_d50(target)) or (), _to_d50(source))


def tone_map_table(color: ColorDescription) -> ImageFilter.Color3DLUT:
    """Return the table from the stored values of PQ or HLG to sRGB."""
    wide, narrow = PRIMARIES[9], PRIMARIES[1]
    to_wide, to_srgb = _between(color.primaries, wide), _between(wide, narrow)
    weights = (rgb_to_xyz(color.primaries) or ())[1]
    curve = _shoulder(color.max_nits / WHITE_NITS)
    is_pq = color.transfer == PQ
    steps = [(_pq if is_pq else _hlg)(index / (SIDE - 1)) for index in range(SIDE)]

    def entry(red: float, green: float, blue: float) -> tuple[float, ...]:
        light: Vector = (red, green, blue)
        light = applied(to_wide, light if is_pq else _displayed(light, weights))
        most = max(light)
        gain = curve(most) / most if most > 0 else 0.0
        return tuple(_encoded(gain * value) for value in applied(to_srgb, light))

    table = [v for b in steps for g in steps for r in steps for v in entry(r, g, b)]
    return ImageFilter.Color3DLUT(SIDE, table)
