"""From the colours that a file describes by numbers to sRGB.

SDR goes through an ICC profile that is made here (ICC.1:2022, matrix and curves), so that
LittleCMS does the arithmetic. HDR goes through a table, for LittleCMS knows no tone mapping.
"""

import struct
from collections.abc import Callable
from functools import lru_cache

from PIL import Image, ImageFilter

from cropsvc.imaging.headers.color import (
    BT709,
    GAMMA_22,
    GAMMA_28,
    LINEAR,
    SMPTE240,
    SMPTE428,
    SRGB,
    ColorDescription,
)
from cropsvc.imaging.render.matrices import Matrix, adapt_to_d50, product, rgb_to_xyz
from cropsvc.imaging.render.tone_map import tone_map_table

CURVE = 255 * 8 + 1  # entries: each value of 8 bits meets one of them
D50 = (0.9642, 1.0, 0.8249)
Curve = Callable[[float], float]


def _smpte240(v: float) -> float:
    return v / 4 if v < 0.0913 else ((v + 0.1115) / 1.1115) ** (1 / 0.45)


def _srgb(v: float) -> float:
    return v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4


CURVES: dict[int, Curve] = {  # ITU-T H.273, from stored to linear values
    BT709: lambda v: v**2.4,  # of the screen (BT.1886), not of the camera, as browsers do
    GAMMA_22: lambda v: v**2.2,
    GAMMA_28: lambda v: v**2.8,
    SMPTE240: _smpte240,
    LINEAR: lambda v: v,
    SRGB: _srgb,
    SMPTE428: lambda v: min(1.0, v**2.6 * 52.37 / 48),
}


def tone_mapped(image: Image.Image, color: ColorDescription) -> Image.Image:
    """Return an HDR image as Chromium shows it on a screen without HDR, in RGB or RGBA."""
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    mapped = image.convert("RGB").filter(_table(color))
    if alpha is not None:
        mapped.putalpha(alpha)
    return mapped


@lru_cache(maxsize=4)
def _table(color: ColorDescription) -> ImageFilter.Color3DLUT:
    return tone_map_table(color)


@lru_cache(maxsize=8)
def icc_profile(color: ColorDescription) -> bytes | None:
    """Return an ICC profile that says the same; None where the primaries make no sense."""
    matrix = rgb_to_xyz(color.primaries)
    if matrix is None:
        return None
    curve = CURVES.get(color.transfer, lambda v: v**color.gamma)
    try:
        return _profile(product(adapt_to_d50(color.primaries[:2]), matrix), curve)
    except (ArithmeticError, struct.error):  # beyond what a profile can say
        return None


def _profile(matrix: Matrix, curve: Curve) -> bytes:
    shape = _curve(curve)
    bodies = {b"wtpt": _xyz(D50)}
    for column, letter in enumerate((b"r", b"g", b"b")):
        bodies[letter + b"XYZ"] = _xyz(tuple(row[column] for row in matrix))
        bodies[letter + b"TRC"] = shape
    table, blob, start = [], b"", 128 + 4 + 12 * len(bodies)
    for name, body in bodies.items():
        table.append(struct.pack(">4sII", name, start + len(blob), len(body)))
        blob += body + bytes(-len(body) % 4)
    whole = struct.pack(">I", len(bodies)) + b"".join(table) + blob
    return _header(128 + len(whole)) + whole


def _header(size: int) -> bytes:
    """Return the 128 bytes before the tags: a monitor profile of version 4, RGB to XYZ."""
    head = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x04300000, b"mntr", b"RGB ", b"XYZ ")
    return (head.ljust(36, b"\0") + b"acsp").ljust(68, b"\0") + _numbers(D50) + bytes(48)


def _numbers(values: tuple[float, ...]) -> bytes:
    """Return s15Fixed16 numbers."""
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + _numbers(values)


def _curve(curve: Curve) -> bytes:
    points = [round(65535 * min(1.0, max(0.0, curve(i / (CURVE - 1))))) for i in range(CURVE)]
    return b"curv\0\0\0\0" + struct.pack(f">I{CURVE}H", CURVE, *points)
