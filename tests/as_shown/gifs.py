"""GIF files built from scratch: odd screens, disposals, damage, cuts, interlace."""

import struct
from collections.abc import Iterator
from io import BytesIO

from PIL import Image

WIDTH, HEIGHT = 40, 30
PALETTE = bytes(value for i in range(16) for value in (i * 17, 255 - i * 17, i * 40 % 256))


def packed(pixels: bytes, bits: int = 4) -> bytes:
    """LZW data blocks of palette indexes, without compression: a clear code before it grows."""
    clear, width = 1 << bits, bits + 1
    codes = []
    for at in range(0, len(pixels), (1 << bits) - 2):
        codes += [clear, *pixels[at : at + (1 << bits) - 2]]
    codes.append(clear + 1)
    number = sum(code << width * place for place, code in enumerate(codes))
    data = number.to_bytes((width * len(codes) + 7) // 8, "little")
    blocks = [data[at : at + 255] for at in range(0, len(data), 255)]
    return bytes((bits,)) + b"".join(bytes((len(b),)) + b for b in blocks) + b"\0"


def pattern(width: int, height: int) -> bytes:
    """Palette indexes of a gradient with edges."""
    return bytes((x // 3 + y // 5 * 3) % 16 for y in range(height) for x in range(width))


def frame(
    box: tuple[int, int, int, int],
    *,
    disposal: int = 0,
    transparent: int | None = None,
    interlaced: bool = False,
    delay: int = 10,
) -> bytes:
    """A frame with its control block."""
    flags = disposal << 2 | (transparent is not None)
    control = struct.pack("<BBBBHBB", 0x21, 0xF9, 4, flags, delay, transparent or 0, 0)
    pixels = pattern(*box[2:])
    if interlaced:
        pixels = _interlaced(pixels, *box[2:])
    return control + struct.pack("<BHHHHB", 0x2C, *box, 0x40 * interlaced) + packed(pixels)


def _interlaced(pixels: bytes, width: int, height: int) -> bytes:
    order = [
        y for first, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for y in range(first, height, step)
    ]
    return b"".join(pixels[y * width : (y + 1) * width] for y in order)


def gif(
    *parts: bytes,
    screen: tuple[int, int] = (WIDTH, HEIGHT),
    end: bytes = b"\x3b",
    version: bytes = b"GIF89a",
    background: int = 3,
) -> bytes:
    """A file of these parts."""
    head = struct.pack("<6sHHBBB", version, *screen, 0x80 | 3, background, 0)
    return head + PALETTE + b"".join(parts) + end


FULL = (0, 0, WIDTH, HEIGHT)


def files() -> Iterator[tuple[str, bytes]]:
    """Every file with its name."""
    yield from _screens()
    yield from _ends()
    for disposal in range(8):
        yield f"disposal-{disposal}", gif(frame(FULL, disposal=disposal), frame((5, 5, 9, 9)))
    for index in (0, 3, 15):
        yield f"transparent-{index}", gif(frame(FULL, transparent=index))
        yield f"small-transparent-{index}", gif(frame((3, 4, 9, 9), transparent=index))
    yield from _cuts()


def _screens() -> Iterator[tuple[str, bytes]]:
    for version in (b"GIF87a", b"GIF89a"):
        name = version[3:6].decode()
        for box in (
            (0, 0, 20, 10),
            (7, 6, 20, 10),
            (30, 20, 20, 20),
            (0, 0, 60, 20),
            (50, 40, 5, 5),
        ):
            yield f"{name}-first-{'-'.join(map(str, box))}", gif(frame(box), version=version)
        yield f"{name}-later-beyond", gif(frame(FULL), frame((30, 20, 40, 40)), version=version)
    for screen in ((0, 0), (0, 30), (40, 0), (65535, 1)):
        yield f"screen-{screen[0]}-{screen[1]}", gif(frame(FULL), screen=screen)


def _ends() -> Iterator[tuple[str, bytes]]:
    whole = frame(FULL)
    for name, end in {
        "none": b"",
        "stray-10": b"\x0a\x3b",
        "stray-71": b"G\x3b",
        "zeros": b"\0\0\0\x3b",
        "twice": b"\x3b\x3b",
        "junk": b"\x3bjunk" * 9,
        "cut-extension": b"\x21\xff\x0bNETS",
        "cut-frame": b"\x2c\0\0",
        "unknown-extension": b"\x21\x07\x03abc\0\x3b",
    }.items():
        yield f"end-{name}", gif(whole, end=end)
    yield "stray-between", gif(whole, b"\x0a", frame(FULL))
    yield "stray-before", gif(b"\x0a", whole)
    yield "comment-before", gif(b"\x21\xfe\x03abc\0", whole)


def _cuts() -> Iterator[tuple[str, bytes]]:
    for interlaced in (False, True):
        data = gif(frame((0, 0, 64, 48), interlaced=interlaced), screen=(64, 48))
        for share in (0.2, 0.4, 0.6, 0.8, 0.95):
            yield (
                f"cut-{share}-{'interlaced' if interlaced else 'plain'}",
                data[: int(len(data) * share)],
            )
        hurt = bytearray(data)
        hurt[len(data) // 2] ^= 0x15
        yield f"hurt-{'interlaced' if interlaced else 'plain'}", bytes(hurt)
    out = BytesIO()
    image = Image.effect_mandelbrot((64, 48), (-2.5, -1.2, 0.8, 1.2), 60).convert("RGB")
    image.save(out, "GIF", interlace=0)
    for share in (0.5, 0.8, 0.99):
        yield f"cut-{share}-compressed", out.getvalue()[: int(len(out.getvalue()) * share)]
