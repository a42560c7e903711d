"""AVIF files: colours by nclx, and containers that libavif refuses and browsers show."""

import struct
from collections.abc import Iterator
from io import BytesIO

from PIL import Image

from tests.as_shown.pngs_color import COLORS, WIDTH

PAIRS = (
    (1, 13),
    (1, 1),
    (1, 4),
    (1, 8),
    (12, 13),
    (9, 1),
    (9, 14),
    (9, 13),
    (12, 16),
    (9, 16),
    (9, 18),
    (1, 6),
    (1, 5),
    (1, 7),
    (1, 17),
    (1, 2),
    (2, 13),
    (1, 12),
    (12, 15),
    (5, 13),
    (7, 13),
    (11, 13),
)


def avif(**options: object) -> bytes:
    """An AVIF of the colours, with little loss, in 4:4:4."""
    image = Image.new("RGB", (WIDTH, len(COLORS) // WIDTH))
    image.putdata(COLORS)
    out = BytesIO()
    image.resize((WIDTH * 4, image.height * 4), 0).save(
        out, "AVIF", quality=100, subsampling="4:4:4", **options
    )
    return out.getvalue()


def with_nclx(data: bytes, primaries: int, transfer: int) -> bytes:
    """The file with these numbers in its nclx box."""
    place = data.index(b"nclx") + 4
    return data[:place] + struct.pack(">HH", primaries, transfer) + data[place + 4 :]


def moving(span: str) -> bytes:
    """A sequence of two frames whose values are in this range."""
    frames = [Image.linear_gradient("L").resize((40, 30)).rotate(180 * i) for i in range(2)]
    out = BytesIO()
    frames[0].convert("RGB").save(
        out, "AVIF", quality=90, save_all=True, append_images=[frames[1].convert("RGB")], range=span
    )
    return out.getvalue()


def files() -> Iterator[tuple[str, bytes]]:
    """Every file with its name."""
    plain = avif()
    for primaries, transfer in PAIRS:
        yield f"nclx-{primaries}-{transfer}", with_nclx(plain, primaries, transfer)
    yield "moving-limited", moving("limited")
    yield "moving-full", moving("full")
    yield "brand-mif3", plain[:8] + b"mif3" + plain[12:]
    yield "no-colr", plain.replace(b"colrnclx", b"freenclx")
    yield from _sequences()
    length = struct.unpack_from(">I", plain)[0]
    rest = struct.pack(">I", length - 16) + b"free" + bytes(length - 24) + plain[length:]
    yield "ftyp-16", struct.pack(">I4s4sI", 16, b"ftyp", b"avif", 0) + rest
    exif = avif(exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")
    yield "exif", exif


def _sequences() -> Iterator[tuple[str, bytes]]:
    frames = [Image.new("RGB", (64, 40), color) for color in ("red", "lime", "blue")]
    out = BytesIO()
    frames[0].save(out, "AVIF", save_all=True, append_images=frames[1:], duration=100)
    data = out.getvalue()
    yield "sequence", data
    without = data.replace(b"meta", b"free", 1)
    length = struct.unpack_from(">I", data)[0]
    yield "sequence-without-meta", without[:16] + b"avis" * ((length - 16) // 4) + without[length:]
