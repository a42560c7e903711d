"""WebP files: with and without loss, alpha, animations, profiles, and odd chunks (RFC 9649)."""

import struct
from collections.abc import Iterator
from io import BytesIO

from PIL import Image

from cropsvc.imaging.headers.color import ColorDescription
from cropsvc.imaging.render.described_color import icc_profile

WIDTH, HEIGHT = 40, 30
P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)  # white, red, green, blue
ALPHA, PROFILE = 0x10, 0x20  # flags of VP8X
REST = b"\xff\xff\xff"


def picture(mode: str, sides: tuple[int, int] = (WIDTH, HEIGHT), *, turn: int = 0) -> Image.Image:
    """A gradient with edges; its alpha runs from nothing to all of it."""
    across = Image.linear_gradient("L").resize(sides)
    down = across.transpose(Image.Transpose.ROTATE_90).resize(sides)
    edges = across.point(lambda value: 255 * (value // 32 % 2))
    bands = [across, down, edges]
    image = Image.merge("RGB", bands[turn:] + bands[:turn])
    if mode == "RGBA":
        image.putalpha(down)
    return image


def webp(mode: str = "RGB", sides: tuple[int, int] = (WIDTH, HEIGHT), **options: object) -> bytes:
    """A file by libwebp."""
    out = BytesIO()
    picture(mode, sides).save(out, "WEBP", **options)
    return out.getvalue()


def moving(mode: str = "RGB", **options: object) -> bytes:
    """An animation of three frames."""
    out = BytesIO()
    frames = [picture(mode, turn=turn) for turn in range(3)]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], duration=200, **options)
    return out.getvalue()


def chunks(data: bytes) -> dict[bytes, bytes]:
    """The first chunk of each kind."""
    found: dict[bytes, bytes] = {}
    place = 12
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, place)
        found.setdefault(kind, data[place + 8 : place + 8 + length])
        place += 8 + length + (length & 1)
    return found


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk, padded to an even length."""
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) & 1)


def riff(*parts: bytes) -> bytes:
    """A file of these chunks."""
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def extended(flags: int, sides: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    """The chunk VP8X."""
    width, height = ((side - 1).to_bytes(3, "little") for side in sides)
    return chunk(b"VP8X", bytes((flags, 0, 0, 0)) + width + height)


def frame(place: tuple[int, int], sides: tuple[int, int], flags: int, inner: bytes) -> bytes:
    """The chunk ANMF; *place* is even, flags are no blending (2) and disposal (1)."""
    numbers = (place[0] // 2, place[1] // 2, sides[0] - 1, sides[1] - 1, 100)
    head = b"".join(number.to_bytes(3, "little") for number in numbers)
    return chunk(b"ANMF", head + bytes((flags,)) + inner)


def files() -> Iterator[tuple[str, bytes]]:
    """Every file with its name."""
    yield from _stills()
    yield from _profiles()
    yield from _containers()
    yield from _animations()


def _stills() -> Iterator[tuple[str, bytes]]:
    for mode in ("RGB", "RGBA"):
        for quality in (5, 50, 95):
            yield f"lossy-{mode}-{quality}", webp(mode, quality=quality)
        for method in (0, 6):
            yield f"lossless-{mode}-{method}", webp(mode, lossless=True, method=method, exact=True)
        for sides in ((1, 1), (1, 17), (33, 2), (255, 9)):
            yield f"lossy-{mode}-{sides[0]}x{sides[1]}", webp(mode, sides, quality=80)
            yield f"lossless-{mode}-{sides[0]}x{sides[1]}", webp(mode, sides, lossless=True)
    for quality in (0, 40, 100):
        yield f"alpha-{quality}", webp("RGBA", alpha_quality=quality)
    yield "few-colours", _saved(picture("RGB").quantize(4).convert("RGB"), lossless=True)
    yield "one-colour", _saved(Image.new("RGBA", (9, 7), (200, 30, 90, 120)), lossless=True)
    yield "gray", _saved(picture("RGB").convert("L"), quality=90)


def _saved(image: Image.Image, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, "WEBP", **options)
    return out.getvalue()


def _profiles() -> Iterator[tuple[str, bytes]]:
    gammas = {"p3": ColorDescription(P3, 1, 2.2), "linear": ColorDescription(P3, 8, 1.0)}
    for name, color in gammas.items():
        profile = icc_profile(color)
        for mode in ("RGB", "RGBA"):
            yield f"icc-{name}-{mode}", webp(mode, icc_profile=profile, lossless=True)
        yield f"icc-{name}-moving", moving(icc_profile=profile, lossless=True)
        image = chunks(webp(lossless=True))[b"VP8L"]
        unmarked = (extended(0), chunk(b"ICCP", profile or b""), chunk(b"VP8L", image))
        yield f"icc-{name}-not-in-flags", riff(*unmarked)
    yield "icc-broken", webp(icc_profile=b"no profile at all", lossless=True)


def _containers() -> Iterator[tuple[str, bytes]]:
    lossy, lossless = webp(quality=90), webp(lossless=True)
    inner = chunk(b"VP8 ", chunks(lossy)[b"VP8 "])
    alpha = chunk(b"ALPH", chunks(webp("RGBA"))[b"ALPH"])
    yield "junk-after", lossy + b"hello" * 50
    yield "size-too-large", lossy[:4] + struct.pack("<I", len(lossy) + 90) + lossy[8:]
    yield "extended", riff(extended(0), inner)
    yield "unknown-chunk", riff(extended(0), chunk(b"ABCD", b"12345"), inner)
    yield "unknown-chunk-after", riff(extended(0), inner, chunk(b"ABCD", b"123"))
    yield "alpha-not-in-flags", riff(extended(0), alpha, inner)
    yield "alpha-in-flags-only", riff(extended(ALPHA), inner)
    yield "alpha-raw", riff(extended(ALPHA), chunk(b"ALPH", b"\0" + bytes(range(240)) * 5), inner)
    yield "lossless-extended", riff(extended(0), chunk(b"VP8L", chunks(lossless)[b"VP8L"]))
    yield (
        "lossless-alpha-extended",
        riff(extended(0), chunk(b"VP8L", chunks(webp("RGBA", lossless=True))[b"VP8L"])),
    )
    yield "exif-1", webp(exif=b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\1\0\0\0\0\0\0\0")
    yield "exif-broken", webp(exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff")
    for share in (0.3, 0.6, 0.95):
        yield f"cut-{share}", lossy[: int(len(lossy) * share)]
        yield f"cut-lossless-{share}", lossless[: int(len(lossless) * share)]


def _animations() -> Iterator[tuple[str, bytes]]:
    for mode in ("RGB", "RGBA"):
        yield f"moving-{mode}", moving(mode)
        yield f"moving-lossless-{mode}", moving(mode, lossless=True)
    yield "moving-background", moving("RGBA", lossless=True, background=(200, 10, 10, 255))
    yield "moving-loops", moving(loop=3)
    part = chunk(b"VP8L", chunks(webp("RGBA", (20, 10), lossless=True))[b"VP8L"])
    whole = chunk(b"VP8 ", chunks(webp())[b"VP8 "])
    control = chunk(b"ANIM", REST + b"\xff\0\0")
    second = frame((0, 0), (WIDTH, HEIGHT), 2, whole)
    for flags in range(4):
        first = frame((10, 8), (20, 10), flags, part)
        yield f"first-is-part-{flags}", riff(extended(0x12), control, first, second)
    first = frame((0, 0), (WIDTH, HEIGHT), 0, whole)
    yield "moving-of-one", riff(extended(2), control, first)
    yield "moving-still-flag", riff(extended(0), control, first, second)
