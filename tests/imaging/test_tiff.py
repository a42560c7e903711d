"""TIFFs of kinds that Pillow reads wrong or not at all, built field by field (TIFF 6.0)."""

import struct
import zlib
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cropsvc.imaging.headers.probe import probe
from cropsvc.imaging.params.parser import parse
from cropsvc.imaging.render.render import render
from cropsvc.imaging.render.tiff import decode_tiff
from cropsvc.model.errors import Unreadable
from cropsvc.model.limits import Limits
from tests.imaging.measured import peak

BYTE, SHORT, LONG, LONG8, UNDEFINED = 1, 3, 4, 16, 7
CODES = {BYTE: "B", SHORT: "H", LONG: "I", LONG8: "Q", UNDEFINED: "B"}
WIDTH, HEIGHT = 12, 8
RNG = np.random.default_rng(16)
DEFLATE = 8


@dataclass
class Tiff:
    """A TIFF of one page: strips of two rows each, of every plane after the other."""

    planes: list[np.ndarray]  # rows x columns, or rows x columns x samples
    fields: dict[int, tuple[int, list[int]]] = field(default_factory=dict)
    order: str = "<"
    big: bool = False
    compression: int = 1

    def strips(self) -> list[bytes]:
        rows = [np.ascontiguousarray(plane[at : at + 2]) for plane in self.planes
                for at in range(0, HEIGHT, 2)]  # fmt: skip
        swapped = [row.astype(row.dtype.newbyteorder(self.order)) for row in rows]
        if self.compression == DEFLATE:
            return [zlib.compress(row.tobytes()) for row in swapped]
        return [row.tobytes() for row in swapped]

    def bytes(self) -> bytes:
        strips, wide = self.strips(), "Q" if self.big else "I"
        start = 16 if self.big else 8
        offsets = [start + sum(map(len, strips[:n])) for n in range(len(strips))]
        where = LONG8 if self.big else LONG
        fields = {
            256: (SHORT, [WIDTH]), 257: (SHORT, [HEIGHT]), 259: (SHORT, [self.compression]),
            273: (where, offsets), 278: (SHORT, [2]), 279: (where, [len(one) for one in strips]),
            **self.fields,
        }  # fmt: skip
        place = start + sum(map(len, strips))
        entry, room, count = (20, 8, "Q") if self.big else (12, 4, "I")
        beyond = place + (8 if self.big else 2) + entry * len(fields) + room
        entries, values = b"", b""
        for tag, (kind, numbers) in sorted(fields.items()):
            raw = struct.pack(f"{self.order}{len(numbers)}{CODES[kind]}", *numbers)
            entries += struct.pack(f"{self.order}HH{count}", tag, kind, len(numbers))
            if len(raw) > room:
                entries += struct.pack(f"{self.order}{wide}", beyond + len(values))
                values += raw
            else:
                entries += raw.ljust(room, b"\0")
        name = b"II" if self.order == "<" else b"MM"
        magic = struct.pack(f"{self.order}H", 43 if self.big else 42)
        middle = struct.pack(f"{self.order}HH", 8, 0) if self.big else b""
        head = name + magic + middle + struct.pack(f"{self.order}{wide}", place)
        length = struct.pack(f"{self.order}{'Q' if self.big else 'H'}", len(fields))
        return head + b"".join(strips) + length + entries + bytes(room) + values


def shorts(*numbers: int) -> tuple[int, list[int]]:
    return SHORT, list(numbers)


def cropped(data: bytes) -> np.ndarray:
    """The whole image as the service makes a PNG of it."""
    probe(data, Limits())
    [made] = render(data, parse([("format", "png")]), Limits(), lambda *_: None)
    assert made.error is None, made.error
    return np.asarray(Image.open(BytesIO(made.data)))


def rgb(**more: object) -> Tiff:
    pixels = RNG.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    fields = {258: shorts(8, 8, 8), 262: shorts(2), 277: shorts(3)}
    return Tiff([pixels], fields, **more)  # type: ignore[arg-type]


def separate(samples: int, photometric: int, *extra: int, bits: int = 16) -> dict:
    fields = {
        258: shorts(*[bits] * samples), 262: shorts(photometric), 277: shorts(samples),
        284: shorts(2),
    }  # fmt: skip
    return fields | ({338: shorts(*extra)} if extra else {})


def planes(samples: int) -> list[np.ndarray]:
    return [RNG.integers(0, 65536, (HEIGHT, WIDTH), np.uint16) for _ in range(samples)]


@pytest.mark.parametrize("compression", [1, DEFLATE])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("samples", "photometric", "extra"), [(3, 2, ()), (4, 2, (2,)), (2, 1, (2,))]
)
def test_planes_of_16_bits_are_read(
    order: str, compression: int, samples: int, photometric: int, extra: tuple[int, ...]
) -> None:
    stored = planes(samples)
    tiff = Tiff(stored, separate(samples, photometric, *extra), order, compression=compression)
    expected = np.stack([plane >> 8 for plane in stored], axis=-1)
    assert np.array_equal(cropped(tiff.bytes()), expected)


@pytest.mark.parametrize("order", ["<", ">"])
def test_grey_that_is_multiplied_by_its_alpha_is_divided(order: str) -> None:
    alpha = np.full((HEIGHT, WIDTH), 51, np.uint8)
    alpha[:4] = 255
    stored = np.stack([np.minimum(planes(1)[0] >> 8, alpha).astype(np.uint8), alpha], axis=-1)
    fields = {258: shorts(8, 8), 262: shorts(1), 277: shorts(2), 338: shorts(1)}
    found = cropped(Tiff([stored], fields, order).bytes())
    expected = stored[:, :, 0].astype(int) * 255 // alpha
    assert np.array_equal(found[:, :, 1], alpha)
    assert np.abs(found[:, :, 0] - expected).max() <= 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_grey_of_16_bits_may_have_0_for_white(order: str) -> None:
    [stored] = planes(1)
    found = [
        cropped(Tiff([stored], {258: shorts(16), 262: shorts(photometric)}, order).bytes())
        for photometric in (0, 1)
    ]
    assert np.array_equal(found[0], 255 - found[1])


def test_planes_of_16_bits_without_a_meaning_are_ignored() -> None:
    stored = planes(4)
    expected = np.stack([plane >> 8 for plane in stored[:3]], axis=-1)
    assert np.array_equal(cropped(Tiff(stored, separate(4, 2, 0)).bytes()), expected)


def test_planes_of_16_bits_are_turned() -> None:
    stored = planes(3)
    fields = separate(3, 2) | {274: shorts(6)}
    expected = np.rot90(np.stack([plane >> 8 for plane in stored], axis=-1), -1)
    assert np.array_equal(cropped(Tiff(stored, fields).bytes()), expected)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("scale", [1, 257, 256])
def test_a_color_map_has_8_or_16_bits(order: str, scale: int) -> None:
    colors = RNG.integers(0, 256, (3, 256))
    indices = RNG.integers(0, 256, (HEIGHT, WIDTH), np.uint8)
    fields = {
        258: shorts(8), 262: shorts(3), 277: shorts(1),
        320: shorts(*(int(value) * scale for value in colors.flatten())),
    }  # fmt: skip
    expected = colors.T[indices]
    assert np.array_equal(cropped(Tiff([indices], fields, order).bytes()), expected)


@pytest.mark.parametrize("compression", [1, DEFLATE])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_of_both_layouts_are_read(order: str, big: bool, compression: int) -> None:
    tiff = rgb(order=order, big=big, compression=compression)
    assert np.array_equal(cropped(tiff.bytes()), tiff.planes[0])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [BYTE, SHORT, LONG])
@pytest.mark.parametrize(("turn", "quarters"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_the_orientation_may_be_of_any_whole_type(
    order: str, kind: int, turn: int, quarters: int
) -> None:
    tiff = rgb(order=order)
    tiff.fields[274] = (kind, [turn])
    assert np.array_equal(cropped(tiff.bytes()), np.rot90(tiff.planes[0], quarters))


def test_the_orientation_is_not_taken_from_xmp() -> None:
    tiff = rgb()
    tiff.fields[700] = (BYTE, list(b'<x tiff:Orientation="6"/>'))
    assert np.array_equal(cropped(tiff.bytes()), tiff.planes[0])


@pytest.mark.parametrize(
    ("fields", "stored", "words"),
    [
        ({258: shorts(*[8] * 5), 262: shorts(5), 277: shorts(5), 338: shorts(2)},
         RNG.integers(0, 256, (HEIGHT, WIDTH, 5), np.uint8), "5 samples of 8 bits, CMYK"),
        ({258: shorts(8, 8, 8), 262: shorts(6), 277: shorts(3)},
         RNG.integers(0, 256, (HEIGHT, WIDTH * 3 // 2), np.uint8), "8 bits, YCbCr, uncompressed"),
        ({258: shorts(32, 32, 32), 262: shorts(2), 277: shorts(3), 339: shorts(3, 3, 3)},
         np.zeros((HEIGHT, WIDTH, 3), np.float32), "3 samples of 32 floating bits, RGB"),
        ({258: shorts(16, 16, 16), 262: shorts(8), 277: shorts(3)},
         np.zeros((HEIGHT, WIDTH, 3), np.uint16), "3 samples of 16 bits, Lab"),
        ({258: shorts(8, 8, 8), 259: shorts(50001), 262: shorts(2), 277: shorts(3)},
         np.zeros((HEIGHT, WIDTH, 3), np.uint8), "8 bits, RGB, compression 50001"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_refused_by_its_kind(
    fields: dict, stored: np.ndarray, words: str
) -> None:
    with pytest.raises(Unreadable, match=words):
        cropped(Tiff([stored], fields).bytes())


@pytest.mark.parametrize("tag", [256, 257])
def test_a_side_of_several_numbers_is_refused_at_the_header(tag: int) -> None:
    """Pillow takes the first of them, which lies elsewhere in the file."""
    tiff = rgb()
    tiff.fields[tag] = (LONG, [60_000, 8])
    with pytest.raises(Unreadable):
        probe(tiff.bytes(), Limits())


def test_other_sides_than_the_headers_get_no_memory() -> None:
    tiff = rgb()
    tiff.fields[256] = (LONG, [60_000])
    tiff.fields[257] = (LONG, [60_000])
    began = peak()
    with pytest.raises(Unreadable, match="60000x60000 where its header says 12x8"):
        decode_tiff(tiff.bytes(), (12, 8))
    assert peak() - began < 10_000_000
