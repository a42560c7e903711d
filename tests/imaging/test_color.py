"""Colour: profiles to sRGB, against a littleCMS reference; CMYK; what is left alone."""

import io
import struct
from functools import lru_cache

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests import pictures
from tests.imaging.engine import Pixels, crop, difference, opened

SRGB = ImageCms.createProfile("sRGB")
OUTPUTS = ("jpeg", "png", "webp", "avif", "gif")
W, H = 96, 64
Y, X = np.mgrid[0:H, 0:W]
COLOR = np.stack([30 + X * 2, 20 + Y * 3, 220 - X * 2], -1).astype(np.uint8)


def s15(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


@lru_cache
def matrix_profile(gamma: float, colorants: tuple[tuple[float, float, float], ...]) -> bytes:
    """A display profile of the three-component matrix kind (ICC.1:2010, 8.3.3)."""

    def xyz(values: tuple[float, float, float]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(s15, values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    text = b"a wide test profile\0"
    description = (
        b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * (12 + 67 + (-len(text)) % 4)
    )
    tags = [
        (b"desc", description),
        (b"cprt", b"text\0\0\0\0none\0\0\0\0"),
        (b"wtpt", xyz((0.9642, 1.0, 0.8249))),
        *((name, xyz(c)) for name, c in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants, strict=True)),
        *((name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")),
    ]
    return _profile(b"mntr", b"RGB ", tags)


def gray_profile(gamma: float) -> bytes:
    """A grey profile with this gamma."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    white = b"XYZ \0\0\0\0" + b"".join(map(s15, (0.9642, 1.0, 0.8249)))
    return _profile(b"mntr", b"GRAY", [(b"wtpt", white), (b"kTRC", curve)])


def _profile(kind: bytes, space: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    size = start + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, kind, space, b"XYZ ")
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28
    return head + b"".join(map(s15, (0.9642, 1.0, 0.8249))) + b"\0" * 48 + table + body


WIDE = matrix_profile(  # ProPhoto-like
    1.8, ((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249))
)
P3 = matrix_profile(  # Display P3's colorants
    2.2, ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
)
SRGB_LIKE = ImageCms.ImageCmsProfile(SRGB).tobytes()


def reference(data: bytes) -> Pixels:
    """What littleCMS makes of a file and its own profile."""
    with Image.open(io.BytesIO(data)) as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        made = ImageCms.profileToProfile(image, profile, SRGB, outputMode="RGB")
    assert made is not None
    return np.asarray(made)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "avif"])
@pytest.mark.parametrize("profile", [WIDE, P3], ids=["wide", "p3"])
def test_a_profile_is_applied_and_dropped(kind: str, output: str, profile: bytes) -> None:
    options = {} if kind in ("png", "tiff") else {"quality": 95}
    data = pictures.encode(COLOR, kind, icc_profile=profile, **options)
    made = crop(data, format=output, quality="95")
    assert "profile-converted" in made.notes
    assert difference(np.asarray(opened(made).convert("RGB")), reference(data)) <= 2
    assert "icc_profile" not in opened(made).info
    plain = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert difference(plain, reference(data)) > 2  # not to convert would be seen


def test_a_scaled_picture_has_the_profiles_colours_too() -> None:
    data = pictures.encode(COLOR, "png", icc_profile=WIDE)
    made = np.asarray(opened(crop(data, size="48x32", fit="stretch")).convert("RGB"))
    small = Image.fromarray(reference(data)).resize((48, 32), Image.Resampling.LANCZOS)
    assert difference(made, np.asarray(small)) <= 1


def test_alpha_survives_a_profile() -> None:
    picture = np.dstack([COLOR, (X * 2).astype(np.uint8)])
    data = pictures.encode(picture, "png", icc_profile=WIDE)
    made = np.asarray(opened(crop(data)))
    assert np.array_equal(made[..., 3], picture[..., 3])
    bare = pictures.encode(COLOR, "png", icc_profile=WIDE)
    assert difference(made[..., :3], reference(bare)) <= 0.5


def test_a_grey_profile_is_applied() -> None:
    gray = (X * 2 + 20).astype(np.uint8)
    data = pictures.encode(gray, "png", icc_profile=gray_profile(1.0))
    made = opened(crop(data))
    assert difference(np.asarray(made.convert("RGB")), reference(data)) <= 0.5


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_an_rgb_profile_is_applied_to_grey(mode: str) -> None:
    grey = Image.linear_gradient("L").resize((W, H))
    data = pictures.save(grey.convert("RGB"), "png", icc_profile=WIDE)
    made = crop(pictures.save(grey.convert(mode), "png", icc_profile=WIDE))
    assert "profile-converted" in made.notes
    assert np.array_equal(np.asarray(opened(made).convert("RGB")), reference(data))


def test_grey_with_the_srgb_profile_stays_grey() -> None:
    made = crop(pictures.encode(COLOR[..., 0], "png", icc_profile=SRGB_LIKE))
    assert opened(made).mode == "L"
    assert "profile-converted" not in made.notes


def test_srgb_by_any_name_is_left_to_the_pixel() -> None:
    data = pictures.encode(COLOR, "png", icc_profile=SRGB_LIKE)
    made = crop(data)
    assert np.array_equal(np.asarray(opened(made)), COLOR)
    assert "profile-converted" not in made.notes
    assert "icc_profile" not in opened(made).info


@pytest.mark.parametrize(
    "profile",
    [b"nonsense", WIDE[:200], gray_profile(2.2), WIDE[:128] + b"\xff" * 300],
    ids=["nonsense", "cut-off", "gray", "bad-tags"],
)
def test_a_broken_or_mismatched_profile_is_ignored(profile: bytes) -> None:
    data = pictures.encode(COLOR, "png", icc_profile=profile)
    made = crop(data)
    assert np.array_equal(np.asarray(opened(made)), COLOR)
    assert "profile-converted" not in made.notes


def test_a_profile_of_more_than_a_megabyte_is_applied() -> None:
    large = pictures.encode(COLOR, "png", icc_profile=WIDE + bytes(2**20))
    plain = pictures.encode(COLOR, "png", icc_profile=WIDE)
    assert "profile-converted" in crop(large).notes
    assert np.array_equal(np.asarray(opened(crop(large))), np.asarray(opened(crop(plain))))


def cmyk_profile() -> bytes:
    """A small CMYK profile: inks that are duller than the naive formula's, as a lut8 A2B0 table."""
    grid = (0.0, 1.0)
    table = bytearray()
    inks = ((55, -37, -50), (48, 74, -3), (89, -5, 93))  # L, a, b of printed C, M, Y
    for cyan in grid:
        for magenta in grid:
            for yellow in grid:
                for black in grid:
                    lab = np.array([100.0, 0.0, 0.0])
                    for amount, ink in zip((cyan, magenta, yellow), inks, strict=True):
                        lab = lab + amount * (np.array(ink, float) - [100, 0, 0])
                    lab[0] = max(8.0, lab[0]) * (1 - 0.9 * black)
                    lab[1:] *= 1 - black
                    stored = [lab[0] * 2.55, lab[1] + 128, lab[2] + 128]
                    table += bytes(np.clip(np.round(stored), 0, 255).astype(np.uint8))
    identity = b"".join(map(s15, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    line = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + line * 4 + bytes(table) + line * 3
    white = b"XYZ \0\0\0\0" + b"".join(map(s15, (0.9642, 1.0, 0.8249)))
    made = bytearray(_profile(b"prtr", b"CMYK", [(b"wtpt", white), (b"A2B0", lut)]))
    made[20:24] = b"Lab "
    return bytes(made)


@pytest.mark.parametrize("kind", ["jpeg", "tiff"])
@pytest.mark.parametrize("output", OUTPUTS)
def test_cmyk_with_a_profile_follows_it(kind: str, output: str) -> None:
    picture = Image.fromarray(COLOR).convert("CMYK")
    options = {"quality": 95} if kind == "jpeg" else {}
    data = pictures.save(picture, kind, icc_profile=cmyk_profile(), **options)
    made = crop(data, format=output, quality="95")
    assert "profile-converted" in made.notes
    assert difference(np.asarray(opened(made).convert("RGB")), reference(data)) <= 2
    assert difference(COLOR, reference(data)) > 5


def test_cmyk_without_a_profile_is_the_inks_complement() -> None:
    data = pictures.save(Image.fromarray(COLOR).convert("CMYK"), "tiff")
    made = crop(data)
    assert np.array_equal(np.asarray(opened(made)), COLOR)
    assert "profile-converted" not in made.notes


def test_an_adobe_ycck_jpeg_is_not_inverted() -> None:
    """Photoshop's kind: an Adobe marker with transform 2, inks stored inverted."""
    picture = Image.fromarray(COLOR).convert("CMYK")
    data = pictures.save(picture, "jpeg", quality=95)
    assert b"Adobe" in data[:200]
    assert difference(np.asarray(opened(crop(data, format="png"))), COLOR) <= 2
