"""Pictures for tests, made on the spot: exact patterns, odd files, hostile files."""

import io
import struct
import zlib
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

ORIENTATION = 0x0112  # the EXIF tag


def pattern(width: int, height: int) -> Pixels:
    """RGB in which every pixel tells its place: red = x, green = y, blue = both's upper bits."""
    y, x = np.mgrid[0:height, 0:width]
    blue = (x // 256) * 16 + y // 256
    return np.stack([x % 256, y % 256, blue], axis=-1).astype(np.uint8)


def photo(width: int, height: int, *, seed: int = 1) -> Pixels:
    """RGB with smooth shades, edges and some grain, which compresses like a camera's picture."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / height, x / width
    layers = []
    for _ in range(3):
        fx, fy, phase = random.uniform(1, 6, 3)
        smooth = np.sin(fx * x * 6 + phase) * np.cos(fy * y * 6)
        edges = ((x * fx * 2).astype(int) + (y * fy * 2).astype(int)) % 2
        layers.append(110 + 70 * smooth + 35 * edges)
    grain = random.normal(0, 4, (height, width, 1)).astype(np.float32)
    return np.clip(np.stack(layers, axis=-1) + grain, 0, 255).astype(np.uint8)


def encode(pixels: Pixels, kind: str = "png", **options: object) -> bytes:
    """*pixels* (grey, RGB or RGBA by their shape) as a file of this Pillow format name."""
    return save(Image.fromarray(pixels), kind, **options)


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    """*image* as a file of this Pillow format name."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def decode(data: bytes) -> Pixels:
    """The pixels of the first frame as RGB, or RGBA where the file has alpha."""
    with Image.open(io.BytesIO(data)) as image:
        alpha = image.has_transparency_data
        return np.asarray(image.convert("RGBA" if alpha else "RGB"))


def png(width: int = 40, height: int = 30) -> bytes:
    """The pattern, losslessly."""
    return encode(pattern(width, height))


def jpeg(width: int = 640, height: int = 480, *, quality: int = 90, seed: int = 1) -> bytes:
    """A photo."""
    return encode(photo(width, height, seed=seed), "jpeg", quality=quality)


@cache
def large(seed: int = 1) -> bytes:
    """A JPEG of 12 megapixels, made of one small photo over and over: quick to make."""
    return encode(np.tile(photo(400, 300, seed=seed), (10, 10, 1)), "jpeg", quality=90)


def unlike(number: int) -> bytes:
    """A small PNG that is another one for each *number*, so that no result is reused."""
    pixels = pattern(40, 30).copy()
    pixels[0, :4] = np.frombuffer(struct.pack(">QI", number, 0), np.uint8).reshape(4, 3)
    return encode(pixels)


def oriented(pixels: Pixels, orientation: int, kind: str = "png", **options: object) -> bytes:
    """A file that *shows* these pixels through an EXIF orientation (1-8).

    The inverse of each step of TIFF 6.0, tag 274.
    """
    undone = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored = np.ascontiguousarray(undone[orientation](pixels))
    return encode(stored, kind, exif=exif, **options)


def animation(kind: str = "gif", *, frames: int = 4, size: tuple[int, int] = (40, 30)) -> bytes:
    """An animation of flat frames in *frames* different colours, 100 ms each, endless."""
    images = [_flat(size, _hue(i, frames)) for i in range(frames)]
    options = {"lossless": True} if kind == "webp" else {}
    return save(
        images[0],
        kind,
        save_all=True,
        append_images=images[1:],
        duration=100,
        loop=0,
        **options,
    )


def _flat(size: tuple[int, int], colour: tuple[int, int, int]) -> Image.Image:
    image = Image.new("P", size)
    image.putpalette(colour)
    return image


def _hue(index: int, count: int) -> tuple[int, int, int]:
    step = index * 255 // max(1, count - 1)
    return (step, 255 - step, (index * 37) % 256)


def many_frames(count: int) -> bytes:
    """A GIF of *count* frames of one pixel each on a 2x2 canvas, each unlike the last."""
    head = b"GIF89a" + struct.pack("<HHBBB", 2, 2, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0)
    black, white = (b"\x02\x02\x44\x01\0", b"\x02\x02\x4c\x01\0")
    return head + b"".join(frame + (white if i % 2 else black) for i in range(count)) + b";"


def cmyk() -> bytes:
    """A CMYK JPEG, all cyan."""
    return save(Image.new("CMYK", (40, 30), (255, 0, 0, 0)), "jpeg", quality=95)


def translucent() -> bytes:
    """A PNG whose left half is opaque green and whose right half is fully transparent."""
    pixels = np.zeros((20, 40, 4), np.uint8)
    pixels[:, :20] = (0, 255, 0, 255)
    return encode(pixels)


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is this large; its data stop after a few bytes."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", data), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def bomb(side: int = 10_000) -> bytes:
    """A PNG of some kilobytes that decodes to side x side pixels of one bit."""
    return save(Image.new("1", (side, side)), "png", optimize=True)


def scan_bomb(scans: int) -> bytes:
    """A small progressive JPEG whose last scan is repeated until it has *scans* scans."""
    data = encode(photo(64, 48), "jpeg", progressive=True)
    last = data.rfind(b"\xff\xda")
    scan, end = data[last:-2], data[-2:]
    present = data.count(b"\xff\xda")
    return data[:last] + scan * (scans - present + 1) + end


def truncated(data: bytes, fraction: float = 0.5) -> bytes:
    """The first part of *data*; of a JPEG so little that no row of pixels is left.

    Its header can be read, so that the submit is taken and the job fails.
    """
    if data.startswith(b"\xff\xd8"):
        return data[: data.index(b"\xff\xda") + 20]
    return data[: int(len(data) * fraction)]
