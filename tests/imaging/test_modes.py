"""Every mode that a readable format can give, to every output: no exception, the right colours."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from cropsvc.imaging.params.parser import FORMATS
from tests import pictures
from tests.imaging import hostile
from tests.imaging.engine import Pixels, crop, difference, opened, over_white

OUTPUTS = FORMATS[1:]
W, H = 96, 64
Y, X = np.mgrid[0:H, 0:W]
COLOR = Image.fromarray(
    np.stack([40 + X * 2, 30 + Y * 3, 200 - X], -1).clip(0, 255).astype(np.uint8)
)
GRAY = COLOR.convert("L")
RAMP = Image.fromarray((X * 255 // (W - 1)).astype(np.uint8))  # transparent to opaque
LEVELS = np.asarray(GRAY).astype(np.uint32)


def with_alpha(image: Image.Image) -> Image.Image:
    image = image.copy()
    image.putalpha(RAMP)
    return image


def tiff16(order: str) -> bytes:
    """A 16-bit grey TIFF in this byte order."""
    raw = (LEVELS * 257).astype(f"{order}u2").tobytes()
    mode = "I;16B" if order == ">" else "I;16"
    return pictures.save(Image.frombytes(mode, (W, H), raw), "tiff")


def tiff12() -> bytes:
    """A 12-bit grey TIFF, written by hand: Pillow cannot."""
    wide = (LEVELS * 4095 + 127) // 255
    one, other = wide[:, ::2], wide[:, 1::2]
    packed = np.stack([one >> 4, (one & 15) << 4 | other >> 8, other & 255], -1).astype(np.uint8)
    tags = ((256, W), (257, H), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, H))
    entries = [*tags, (279, packed.nbytes)]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    head = struct.pack("<2sHI", b"II", 42, 8 + packed.nbytes)
    return head + packed.tobytes() + struct.pack("<H", len(entries)) + directory + bytes(4)


def rgb16() -> bytes:
    """A 16-bit RGB PNG, written by hand: Pillow cannot."""
    wide = (np.asarray(COLOR).astype(">u2") * 257).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in wide)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", W, H, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    packed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def keyed(image: Image.Image, key: object) -> bytes:
    """A PNG in which one value is transparent."""
    return pictures.save(image, "png", transparency=key)


def stored(depth: int, color: int, samples: Pixels, key: tuple[int, ...]) -> bytes:
    """A PNG of these samples, of 2, 4 or 16 bits each, one value transparent; by hand."""
    if depth == 16:
        packed = samples.astype(">u2").reshape(len(samples), -1).view(np.uint8)
    else:
        bits = np.unpackbits(samples.astype(np.uint8)[..., None], axis=-1)[..., -depth:]
        packed = np.packbits(bits.reshape(len(samples), -1), axis=-1)
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    return hostile.png(
        hostile.ihdr(samples.shape[1], len(samples), depth, color),
        (b"tRNS", struct.pack(f">{len(key)}H", *key)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )


WIDE = np.stack([X * 257 + 5, Y * 257 + 6, (X + Y) * 257 + 8], axis=-1)
PALETTE = COLOR.quantize(64)
LAB = ImageCms.profileToProfile(
    COLOR, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
)
assert LAB is not None
ASSOCIATED = TiffImagePlugin.ImageFileDirectory_v2()
ASSOCIATED[338] = 1  # ExtraSamples: premultiplied alpha


# name -> the file, and what is seen of it
SOURCES: dict[str, tuple[bytes, Image.Image]] = {
    "1-png": (pictures.save(GRAY.convert("1"), "png"), GRAY.convert("1")),
    "1-tiff": (pictures.save(GRAY.convert("1"), "tiff"), GRAY.convert("1")),
    "1-tiff-group4": (
        pictures.save(GRAY.convert("1"), "tiff", compression="group4"),
        GRAY.convert("1"),
    ),
    "1-bmp": (pictures.save(GRAY.convert("1"), "bmp"), GRAY.convert("1")),
    "L-jpeg": (pictures.save(GRAY, "jpeg", quality=95), GRAY),
    "L-png": (pictures.save(GRAY, "png"), GRAY),
    "L-tiff": (pictures.save(GRAY, "tiff"), GRAY),
    "L-gif": (pictures.save(GRAY, "gif"), GRAY),
    "L-bmp": (pictures.save(GRAY, "bmp"), GRAY),
    "L-avif": (pictures.save(GRAY, "avif", quality=95), GRAY),
    "LA-png": (pictures.save(with_alpha(GRAY), "png"), with_alpha(GRAY)),
    "LA-tiff": (pictures.save(with_alpha(GRAY), "tiff"), with_alpha(GRAY)),
    "P-png": (pictures.save(PALETTE, "png"), PALETTE),
    "P-gif": (pictures.save(PALETTE, "gif"), PALETTE),
    "P-bmp": (pictures.save(PALETTE, "bmp"), PALETTE),
    "P-tiff": (pictures.save(PALETTE, "tiff"), PALETTE),
    "PA-tiff": (pictures.save(PALETTE.convert("PA"), "tiff"), PALETTE),
    "RGB-jpeg": (pictures.save(COLOR, "jpeg", quality=95), COLOR),
    "RGB-png": (pictures.save(COLOR, "png"), COLOR),
    "RGB-png-16": (rgb16(), COLOR),
    "RGB-webp": (pictures.save(COLOR, "webp", quality=95), COLOR),
    "RGB-webp-lossless": (pictures.save(COLOR, "webp", lossless=True), COLOR),
    "RGB-avif": (pictures.save(COLOR, "avif", quality=95), COLOR),
    "RGB-tiff": (pictures.save(COLOR, "tiff"), COLOR),
    "RGB-tiff-lzw": (pictures.save(COLOR, "tiff", compression="tiff_lzw"), COLOR),
    "RGB-tiff-jpeg": (pictures.save(COLOR, "tiff", compression="jpeg", quality=95), COLOR),
    "RGB-bmp": (pictures.save(COLOR, "bmp"), COLOR),
    "RGBA-png": (pictures.save(with_alpha(COLOR), "png"), with_alpha(COLOR)),
    "RGBA-webp": (
        pictures.save(with_alpha(COLOR), "webp", lossless=True),
        with_alpha(COLOR),
    ),
    "RGBA-avif": (pictures.save(with_alpha(COLOR), "avif", quality=95), with_alpha(COLOR)),
    "RGBA-tiff": (pictures.save(with_alpha(COLOR), "tiff"), with_alpha(COLOR)),
    "RGBX-tiff": (pictures.save(COLOR.convert("RGBX"), "tiff"), COLOR),
    "CMYK-jpeg": (pictures.save(COLOR.convert("CMYK"), "jpeg", quality=95), COLOR),
    "CMYK-tiff": (pictures.save(COLOR.convert("CMYK"), "tiff"), COLOR),
    "YCbCr-tiff": (pictures.save(COLOR.convert("YCbCr"), "tiff"), COLOR),
    "LAB-tiff": (pictures.save(LAB, "tiff"), COLOR),
    "I-tiff": (pictures.save(Image.fromarray((LEVELS * 257).astype(np.int32)), "tiff"), GRAY),
    "I-tiff-8": (pictures.save(Image.fromarray(LEVELS.astype(np.int32)), "tiff"), GRAY),
    "I;16-png": (
        pictures.save(Image.fromarray((LEVELS * 257).astype(np.uint16)), "png"),
        GRAY,
    ),
    "I;16-tiff": (tiff16("<"), GRAY),
    "I;12-tiff": (tiff12(), GRAY),
    "I;16B-tiff": (tiff16(">"), GRAY),
    "F-tiff": (pictures.save(Image.fromarray(LEVELS.astype(np.float32)), "tiff"), GRAY),
    "F-tiff-1": (
        pictures.save(Image.fromarray(LEVELS.astype(np.float32) / 255), "tiff"),
        GRAY,
    ),
}


@pytest.mark.parametrize("size", [None, "48x32"])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("name", SOURCES)
def test_every_mode_comes_out_in_the_right_colours(
    name: str, output: str, size: str | None
) -> None:
    data, shown = SOURCES[name]
    params = {"size": size} if size else {}
    made = over_white(opened(crop(data, format=output, quality="95", **params)))
    if shown.mode in ("1", "P"):
        shown = shown.convert("RGB")
    if size:
        shown = shown.resize((48, 32), Image.Resampling.LANCZOS)
    if output == "gif" and shown.mode in ("LA", "RGBA"):  # all or nothing
        shown.putalpha(shown.getchannel("A").point([0] * 128 + [255] * 128))
    expected = over_white(shown)
    assert difference(made, expected) <= 2


@pytest.mark.parametrize(
    ("data", "hole"),
    [
        (keyed(Image.fromarray((X * 2).astype(np.uint8)), 20), X * 2 == 20),
        (keyed(Image.fromarray((X * 2 * 257).astype(np.uint16)), 20 * 257), X * 2 == 20),
        (keyed(COLOR, (42, 30, 199)), (np.asarray(COLOR) == (42, 30, 199)).all(axis=-1)),
        (
            pictures.save(PALETTE, "png", transparency=bytes([255] * 7 + [0] + [255] * 56)),
            np.asarray(PALETTE) == 7,
        ),
        (pictures.save(PALETTE, "gif", transparency=7), None),
        (keyed(GRAY.convert("1"), 0), np.asarray(GRAY.convert("1")) == 0),
        (stored(2, 0, X % 4, (2,)), X % 4 == 2),
        (stored(4, 0, X % 16, (13,)), X % 16 == 13),
        (stored(16, 2, WIDE, tuple(WIDE[7, 9])), (X == 9) & (Y == 7)),
    ],
    ids=["L", "I;16", "RGB", "P-bytes", "P-gif", "1", "L-2", "L-4", "RGB-16"],
)
def test_a_transparent_colour_stays_transparent(data: bytes, hole: Pixels | None) -> None:
    if hole is None:
        with Image.open(io.BytesIO(data)) as image:
            hole = np.asarray(image.convert("RGBA"))[..., 3] == 0
    assert hole.any()
    for output in ("png", "webp", "gif"):
        alpha = np.asarray(opened(crop(data, format=output)).convert("RGBA"))[..., 3]
        assert ((alpha == 0) == hole).all(), output
        assert ((alpha == 255) == ~hole).all(), output


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    made = opened(crop(tiff16("<"), format="png"))
    assert np.array_equal(np.asarray(made), LEVELS)


def test_sixteen_bits_are_rounded_to_the_nearest() -> None:
    wide = np.array([[0, 128, 129, 385, 386, 2770, 65_406, 65_407, 65_535]], np.uint16)
    made = opened(crop(pictures.save(Image.fromarray(wide), "png"), format="png"))
    assert np.asarray(made).tolist() == [[0, 0, 1, 1, 2, 11, 254, 255, 255]]


def test_a_float_picture_with_odd_values_comes_out() -> None:
    odd = np.full((8, 8), 0.5, np.float32)
    odd[0, :4] = (np.nan, np.inf, -np.inf, -1)
    data = pictures.save(Image.fromarray(odd), "tiff")
    assert opened(crop(data, format="png")).size == (8, 8)


def test_few_colours_are_kept_exactly_in_a_gif() -> None:
    random = np.random.default_rng(5)
    for count in (2, 3, 255, 256):
        colors = random.integers(0, 256, (count, 3), dtype=np.uint8)
        picture = colors[random.integers(0, count, (40, 50))]
        picture.reshape(-1, 3)[:count] = colors
        made = opened(crop(pictures.encode(picture), format="gif")).convert("RGB")
        assert np.array_equal(np.asarray(made), picture), count


def test_text_chunks_do_not_confuse_a_palette() -> None:
    info = PngInfo()
    info.add_text("transparency", "7")
    data = pictures.save(PALETTE, "png", pnginfo=info)
    assert np.array_equal(
        np.asarray(opened(crop(data)).convert("RGB")), np.asarray(PALETTE.convert("RGB"))
    )
