"""PNG files whose colours are described without an ICC profile: cICP, gAMA, cHRM, sRGB."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import product

STEPS = (0, 16, 48, 96, 144, 192, 224, 255)
COLORS = list(product(STEPS, repeat=3))
WIDTH = len(STEPS) ** 2
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with its right checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes, colors: Sequence[tuple[int, int, int]] = COLORS) -> bytes:
    """A PNG of 8 bits with *chunks* before its pixels."""
    rows = [colors[at : at + WIDTH] for at in range(0, len(colors), WIDTH)]
    pixels = b"".join(b"\0" + bytes(v for color in row for v in color) for row in rows)
    head = struct.pack(">IIBBBBB", WIDTH, len(rows), 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", head), *chunks, chunk(b"IDAT", zlib.compress(pixels)))
    return SIGNATURE + b"".join(parts) + chunk(b"IEND", b"")


def cicp(primaries: int, transfer: int, matrix: int = 0, full: int = 1) -> bytes:
    """The chunk that names primaries and transfer function by the numbers of ITU-T H.273."""
    return chunk(b"cICP", bytes((primaries, transfer, matrix, full)))


def gama(value: int) -> bytes:
    """The chunk with the file's gamma times 100,000."""
    return chunk(b"gAMA", struct.pack(">I", value))


def chrm(*values: float) -> bytes:
    """The chunk with x and y of white, red, green and blue."""
    return chunk(b"cHRM", struct.pack(">8I", *(round(v * 100000) for v in values)))


SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
ADOBE = (0.3127, 0.329, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
P3 = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
PROPHOTO = (0.3457, 0.3585, 0.7347, 0.2653, 0.1596, 0.8404, 0.0366, 0.0001)
CHROMATICITIES = {"srgb": SRGB, "adobe": ADOBE, "p3": P3, "prophoto": PROPHOTO}


def files() -> Iterator[tuple[str, bytes]]:
    """Every file with its name."""
    for primaries in (1, 4, 5, 6, 8, 9, 11, 12, 22):
        for transfer in (1, 4, 5, 7, 8, 13, 16, 17, 18):
            yield f"cicp-{primaries}-{transfer}", png(cicp(primaries, transfer))
    for primaries, transfer in ((0, 13), (2, 8), (3, 8), (13, 8), (1, 2), (9, 9), (9, 12)):
        yield f"cicp-ignored-{primaries}-{transfer}", png(cicp(primaries, transfer))
    for gamma in (0, 1, 22222, 30000, 43200, 45455, 47700, 55556, 100000, 250000):
        yield f"gama-{gamma}", png(gama(gamma))
        for name, values in CHROMATICITIES.items():
            yield f"gama-{gamma}-{name}", png(gama(gamma), chrm(*values))
    for name, values in CHROMATICITIES.items():
        yield f"chrm-{name}", png(chrm(*values))
        yield f"srgb-{name}", png(gama(100000), chrm(*values), chunk(b"sRGB", b"\0"))
    yield "cicp-over-srgb", png(chunk(b"sRGB", b"\0"), cicp(12, 13))
