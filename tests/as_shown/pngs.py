"""PNG files built from scratch: damage outside and inside the pixels, cuts, palettes, depths."""

import struct
import zlib
from collections.abc import Iterator

from tests.as_shown.pngs_color import SIGNATURE, chunk

WIDTH, HEIGHT = 60, 44
END = chunk(b"IEND", b"")
ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def damaged(whole: bytes) -> bytes:
    """The chunk with a wrong checksum."""
    return whole[:-1] + bytes((whole[-1] ^ 1,))


def color(x: int, y: int) -> bytes:
    """A pixel of 8 bits."""
    return bytes((x * 4 % 256, y * 5 % 256, (x * 3 + y * 7) % 256))


def head(kind: int = 2, bits: int = 8, *, interlaced: int = 0) -> bytes:
    """The header chunk."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, kind, 0, 0, interlaced))


def rows(*, interlaced: bool = False) -> bytes:
    """The rows of RGB, each with filter 0."""
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    return b"".join(
        b"\0" + b"".join(color(x, y) for x in range(x0, WIDTH, dx))
        for x0, y0, dx, dy in passes
        for y in range(y0, HEIGHT, dy)
    )


def png(
    *before: bytes, data: bytes | None = None, after: bytes = b"", header: bytes | None = None
) -> bytes:
    """A file with chunks before and after its pixels; *data* is their zlib stream."""
    pixels = zlib.compress(rows()) if data is None else data
    parts = (SIGNATURE, header or head(), *before, chunk(b"IDAT", pixels), after, END)
    return b"".join(parts)


def files() -> Iterator[tuple[str, bytes]]:
    """Every file with its name."""
    yield from _metadata()
    yield from _streams()
    yield from _palettes()
    yield from _depths()
    for name, data in (("plain", png()), ("interlaced", _interlaced())):
        for share in (0.3, 0.5, 0.7, 0.9, 0.98):
            yield f"cut-{name}-{share}", data[: int(len(data) * share)]
        yield name, data
        yield f"{name}-no-iend", data[:-12]
        yield f"{name}-junk", data + b"junk" * 20


def _interlaced() -> bytes:
    return png(data=zlib.compress(rows(interlaced=True)), header=head(interlaced=1))


def _metadata() -> Iterator[tuple[str, bytes]]:
    chunks = {
        "tEXt": chunk(b"tEXt", b"a\0b"),
        "zTXt": chunk(b"zTXt", b"a\0\0" + zlib.compress(b"b")),
        "iTXt": chunk(b"iTXt", b"a\0\0\0\0\0b"),
        "pHYs": chunk(b"pHYs", b"\0\0\x0b\x12" * 2 + b"\1"),
        "tIME": chunk(b"tIME", b"\x07\xea\1\1\1\1\1"),
        "bKGD": chunk(b"bKGD", b"\0\1" * 3),
        "prVt": chunk(b"prVt", b"abc"),
        "sRGB": chunk(b"sRGB", b"\0"),
        "sBIT": chunk(b"sBIT", b"\5\5\5"),
        "gAMA": chunk(b"gAMA", b"\0\0\xb1\x8f"),
        "cHRM": chunk(b"cHRM", bytes(32)),
        "iCCP": chunk(b"iCCP", b"x\0\0" + zlib.compress(b"junk")),
        "hIST": chunk(b"hIST", b"\0\1"),
    }
    for name, whole in chunks.items():
        yield f"sound-{name}", png(whole)
        yield f"damaged-{name}", png(damaged(whole))
        yield f"empty-{name}", png(chunk(name.encode(), b""))
        yield f"after-{name}", png(after=damaged(whole))
    yield "second-ihdr-after", png(after=chunk(b"IHDR", b""))
    yield "cut-text-after", png(after=b"\0\0\x10\0tEXtabc")


def _streams() -> Iterator[tuple[str, bytes]]:
    stored = rows()
    packed = zlib.compress(stored)
    row = 1 + WIDTH * 3
    half = len(packed) // 2
    yield "wrong-adler", png(data=packed[:-1] + bytes((packed[-1] ^ 1,)))
    yield "no-adler", png(data=packed[:-4])
    yield "zeros-in-stream", png(data=packed[:half] + bytes(40) + packed[half + 40 :])
    yield "ends-early", png(data=zlib.compress(stored[: len(stored) // 2]))
    yield "too-long", png(data=zlib.compress(stored + b"x" * 900))
    yield (
        "wrong-filter",
        png(data=zlib.compress(stored[: row * 20] + b"\x09" + stored[row * 20 + 1 :])),
    )
    split = chunk(b"IDAT", packed[:half]) + chunk(b"IDAT", b"") + chunk(b"IDAT", packed[half:])
    yield "several-idat", SIGNATURE + head() + split + END
    yield "damaged-idat", SIGNATURE + head() + damaged(chunk(b"IDAT", packed)) + END


def _palettes() -> Iterator[tuple[str, bytes]]:
    palette = bytes(v for i in range(16) for v in (i * 16, 255 - i * 16, i * 40 % 256))
    data = zlib.compress(
        b"".join(b"\0" + bytes((x + y) % 16 for x in range(WIDTH)) for y in range(HEIGHT))
    )
    for colors in (16, 9, 3, 1):
        plte = chunk(b"PLTE", palette[: colors * 3])
        yield f"palette-{colors}", png(plte, data=data, header=head(3))
        for alphas in (1, 4, 16):
            trns = chunk(b"tRNS", bytes(range(0, alphas * 16, 16)))
            yield f"palette-{colors}-alphas-{alphas}", png(plte, trns, data=data, header=head(3))
    plte = chunk(b"PLTE", palette)
    yield (
        "palette-damaged-trns",
        png(plte, damaged(chunk(b"tRNS", b"\0")), data=data, header=head(3)),
    )


def _depths() -> Iterator[tuple[str, bytes]]:
    for bits in (1, 2, 4, 8, 16):
        size = (WIDTH * bits + 7) // 8
        data = b"".join(
            b"\0" + bytes((x * 7 + y * 13) % 256 for x in range(size)) for y in range(HEIGHT)
        )
        yield f"gray-{bits}", png(data=zlib.compress(data), header=head(0, bits))
        for value in (1, 255, 256, 257):
            key = chunk(b"tRNS", struct.pack(">H", value))
            name = f"gray-{bits}-key-{value}"
            yield name, png(key, data=zlib.compress(data), header=head(0, bits))
    for kind, samples in ((2, 3), (4, 2), (6, 4)):
        for bits in (8, 16):
            size = WIDTH * samples * bits // 8
            data = b"".join(
                b"\0" + bytes((x * 5 + y * 11) % 256 for x in range(size)) for y in range(HEIGHT)
            )
            yield f"type-{kind}-{bits}", png(data=zlib.compress(data), header=head(kind, bits))
    deep = b"".join(
        b"\0" + b"".join(struct.pack(">3H", 0x1200 + x % 2, 0x3400, 0x5600) for x in range(WIDTH))
        for _ in range(HEIGHT)
    )
    key = chunk(b"tRNS", struct.pack(">3H", 0x1200, 0x3400, 0x5600))
    yield "key-16-low-byte", png(key, data=zlib.compress(deep), header=head(2, 16))
