"""Colours that a file describes without an ICC profile: PNG's cICP, gAMA and cHRM, AVIF's nclx.

The numbers are those of ITU-T H.273. What Chromium 156 obeys and ignores was tried with every
pair of primaries and transfer function, and every gamma (tests/as_shown/pngs_color.py).
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from cropsvc.imaging.headers.model import SEGMENTS

D65, WHITE_C = (0.3127, 0.329), (0.31, 0.316)
PRIMARIES = {  # x and y of white, red, green, blue
    1: (*D65, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06),
    4: (*WHITE_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*D65, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06),
    6: (*D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (*D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    8: (*WHITE_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*D65, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    10: (1 / 3, 1 / 3, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (*D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    22: (*D65, 0.63, 0.34, 0.295, 0.605, 0.155, 0.077),
}
BT709, GAMMA_22, GAMMA_28, SMPTE240, LINEAR, SRGB, PQ, SMPTE428, HLG = 1, 4, 5, 7, 8, 13, 16, 17, 18
SAME_AS_BT709 = (6, 11, 14, 15)
TRANSFERS = (BT709, *SAME_AS_BT709, GAMMA_22, GAMMA_28, SMPTE240, LINEAR, SRGB, PQ, SMPTE428, HLG)
DEFAULT_NITS = 1000.0  # the brightest pixel of an HDR image that does not say it
SRGB_GAMMA = 45_455  # of gAMA; a file within 5 % of it and without cHRM is shown as sRGB
NEAR_SRGB = 0.05


@dataclass(frozen=True)
class ColorDescription:
    """What the stored numbers mean."""

    primaries: tuple[float, ...]  # x and y of white, red, green, blue
    transfer: int  # H.273's number, 0 where `gamma` counts
    gamma: float = 1.0  # exponent from stored to linear values
    max_nits: float = DEFAULT_NITS  # the brightest pixel, for PQ and HLG

    @property
    def is_hdr(self) -> bool:
        """Whether the image is brighter than sRGB can show."""
        return self.transfer in (PQ, HLG)


def described(primaries: int, transfer: int, max_nits: float) -> ColorDescription | None:
    """Return what the two numbers mean; None for sRGB, and for numbers that browsers ignore."""
    if (
        primaries not in PRIMARIES
        or transfer not in TRANSFERS
        or (primaries, transfer) == (1, SRGB)
    ):
        return None
    if transfer in SAME_AS_BT709:
        transfer = BT709
    return ColorDescription(PRIMARIES[primaries], transfer, max_nits=max_nits or DEFAULT_NITS)


def png_color(data: bytes) -> ColorDescription | None:
    """Return what a PNG's cICP chunk says of its colours, the first thing to count."""
    chunks = dict(_png_chunks(data))
    cicp = chunks.get(b"cICP", b"")
    if len(cicp) != 4 or cicp[2] != 0 or cicp[3] != 1:
        return None
    return described(cicp[0], cicp[1], _nits(chunks.get(b"cLLI", b""), ">I", 10_000))


def png_gamma(data: bytes) -> ColorDescription | None:
    """Return what gAMA and cHRM say, for a PNG with neither cICP, iCCP nor sRGB."""
    chunks = dict(_png_chunks(data))
    gama, chrm = chunks.get(b"gAMA", b""), chunks.get(b"cHRM", b"")
    value = struct.unpack(">I", gama)[0] if len(gama) == 4 else 0
    if b"sRGB" in chunks or not value:
        return None
    if len(chrm) != 32:
        near = abs(value / SRGB_GAMMA - 1) < NEAR_SRGB
        return None if near else ColorDescription(PRIMARIES[1], 0, 100_000 / value)
    primaries = tuple(number / 100_000 for number in struct.unpack(">8I", chrm))
    return ColorDescription(primaries, 0, 100_000 / value) if all(primaries[1::2]) else None


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks before the pixels, without those that are damaged; the last one first."""
    found, place = [], 8
    for _ in range(SEGMENTS):
        head = data[place : place + 8]
        if len(head) < 8 or head[4:] == b"IDAT":
            break
        length, kind = struct.unpack(">I4s", head)
        if kind in (b"cICP", b"gAMA", b"cHRM", b"sRGB", b"cLLI") and length <= 32:
            body, check = data[place + 8 : place + 8 + length], data[place + 8 + length :][:4]
            if zlib.crc32(kind + body).to_bytes(4, "big") == check:
                found.append((kind, body))
        place += 12 + length
    yield from reversed(found)


def _nits(light: bytes, code: str, divisor: int) -> float:
    """Return the light level of the brightest pixel, 0 where it is not said."""
    if len(light) < struct.calcsize(code):
        return 0.0
    return float(struct.unpack_from(code, light)[0] / divisor)


def nclx_color(colr: bytes, clli: bytes) -> ColorDescription | None:
    """Return what the bodies of an AVIF's `colr` (nclx) and `clli` boxes say."""
    if colr[:4] != b"nclx" or len(colr) < 10:
        return None
    primaries, transfer = struct.unpack_from(">HH", colr, 4)
    if transfer in (BT709, *SAME_AS_BT709):
        transfer = SRGB  # so browsers take it in a video format, other than in a PNG
    return described(primaries, transfer, _nits(clli, ">H", 1))
