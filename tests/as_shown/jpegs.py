"""JPEG files: cut, damaged in the middle, with odd segments and orientations."""

import random
import struct
from collections.abc import Iterator
from io import BytesIO

from PIL import ExifTags, Image

WIDTH, HEIGHT = 96, 72


def image() -> Image.Image:
    """Something with edges and gradients."""
    picture = Image.effect_mandelbrot((WIDTH, HEIGHT), (-2.2, -1.2, 0.8, 1.2), 40).convert("L")
    ramp = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    return Image.merge("RGB", (picture, ramp, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))


def jpeg(mode: str = "RGB", **options: object) -> bytes:
    """The image as a JPEG."""
    out = BytesIO()
    image().convert(mode).save(out, "JPEG", quality=90, **options)
    return out.getvalue()


KINDS = {
    "420": {},
    "444": {"subsampling": 0},
    "422": {"subsampling": 1},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_rows": 1},
}
MARKERS = (
    b"\xff\x01",
    b"\xff\x02",
    b"\xff\xc4\0\4\0\0",
    b"\xff\xd8",
    b"\xff\xd9",
    b"\xff\xd3",
    b"\xff\xda",
    b"\xff\xe0\0\4ab",
    b"\xff\xfe\0\4ab",
    b"\xff\xff\xff",
    b"\xff\x40",
    b"\xff\xc0",
)


def tiff(*entries: tuple[int, int, int, int], order: str = "<") -> bytes:
    """An EXIF block of these entries: tag, type, count, value."""
    body = b"".join(
        struct.pack(order + "HHIHH", tag, kind, count, value, 0)
        for tag, kind, count, value in entries
    )
    return (
        struct.pack(order + "2sHIH", b"II" if order == "<" else b"MM", 42, 8, len(entries))
        + body
        + bytes(4)
    )


def with_segment(data: bytes, body: bytes, marker: int = 0xE1) -> bytes:
    """The JPEG with an application segment after its first marker."""
    return data[:2] + bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body + data[2:]


def files() -> Iterator[tuple[str, bytes]]:
    """Every file with its name."""
    for name, options in KINDS.items():
        data = jpeg(**options)
        yield name, data
        for share in (0.35, 0.5, 0.7, 0.9, 0.97):
            yield f"cut-{name}-{share}", data[: int(len(data) * share)]
        for share in (0.5, 0.8):
            place = int(len(data) * share)
            for marker in MARKERS:
                yield f"stray-{name}-{share}-{marker.hex()}", data[:place] + marker + data[place:]
            chance = random.Random(3)
            noise = bytes(chance.randrange(256) for _ in range(60))
            yield f"noise-{name}-{share}", data[:place] + noise + data[place + 60 :]
            yield f"zeros-{name}-{share}", data[:place] + bytes(30) + data[place + 30 :]
    yield "gray", jpeg("L")
    yield "gray-cut", jpeg("L")[:-200]
    yield "cmyk", jpeg("CMYK")
    yield "cmyk-cut", jpeg("CMYK")[:-1500]
    yield "junk-after", jpeg() + b"hello" * 50
    yield from _orientations()
    plain = jpeg()
    yield "jfif-of-7", plain[:2] + b"\xff\xe0\0\7JFIF\0" + plain[20:]
    density = Image.Exif()
    density.update({282: 144.0, 283: 144.0, 296: 2})
    density.get_ifd(ExifTags.IFD.Exif).update({40962: WIDTH // 2, 40963: HEIGHT // 2})
    yield "density", with_segment(plain, density.tobytes())
    yield "exif-broken", with_segment(plain, b"Exif\0\0MM\0\x2a\xff\xff\xff\xff")


def _orientations() -> Iterator[tuple[str, bytes]]:
    plain = jpeg()
    for value in range(10):
        yield f"exif-{value}", with_segment(plain, b"Exif\0\0" + tiff((274, 3, 1, value)))
    six = (274, 3, 1, 6)
    yield "exif-big-endian", with_segment(plain, b"Exif\0\0" + tiff(six, order=">"))
    yield "exif-ff", with_segment(plain, b"Exif\0\xff" + tiff(six))
    for name, entry in {
        "byte": (274, 1, 1, 6),
        "long": (274, 4, 1, 6),
        "count-2": (274, 3, 2, 6),
    }.items():
        yield f"exif-{name}", with_segment(plain, b"Exif\0\0" + tiff(entry))
    yield "exif-twice", with_segment(plain, b"Exif\0\0" + tiff((274, 3, 1, 1), six))
    xmp = b'http://ns.adobe.com/xap/1.0/\0<a tiff:Orientation="6"/>'
    yield "xmp-6", with_segment(plain, xmp)
