"""BMP files built from scratch: every layout that browsers show, and what they are cut to."""

import struct
from collections.abc import Iterator, Sequence

WIDTH, HEIGHT = 13, 7
PALETTE = [
    ((i * 67) % 256, (i * 131) % 256, (i * 29) % 256) for i in range(256)
]  # red, green, blue


def color(x: int, y: int) -> tuple[int, int, int, int]:
    """The colour and alpha of a pixel of the gradient that every file here shows."""
    return x * 19 % 256, y * 36 % 256, (x * 7 + y * 11) % 256, 255 - x * 12


def index(x: int, y: int, depth: int) -> int:
    """The palette index of a pixel."""
    return (x * 3 + y * 5) % (1 << depth)


def information(
    size: int, depth: int, compression: int, *, colors: int = 0, top_down: bool = False
) -> bytes:
    """An information header of *size* bytes, without masks."""
    height = -HEIGHT if top_down else HEIGHT
    if size == 12:
        return struct.pack("<IHHHH", size, WIDTH, HEIGHT, 1, depth)
    whole = struct.pack(
        "<IiiHHIIiiII", size, WIDTH, height, 1, depth, compression, 0, 0, 0, colors, 0
    )
    return whole[:size].ljust(size, b"\0")


def with_masks(header: bytes, masks: Sequence[int]) -> bytes:
    """The header with the masks in their place: after 40 bytes of it, or in its fields."""
    packed = struct.pack(f"<{len(masks)}I", *masks)
    return header[:40] + packed + header[40 + len(packed) :]


def file(header: bytes, pixels: bytes, palette: bytes = b"") -> bytes:
    """The whole file."""
    start = 14 + len(header) + len(palette)
    head = struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start)
    return head + header + palette + pixels


def table(count: int, entry: int = 4) -> bytes:
    """A palette of *count* entries."""
    return b"".join(bytes((*PALETTE[i % 256][::-1], 0))[:entry] for i in range(count))


def row_order(*, top_down: bool = False) -> range:
    return range(HEIGHT) if top_down else range(HEIGHT - 1, -1, -1)


def indexed(depth: int, *, top_down: bool = False) -> bytes:
    """Rows of palette indexes, padded to four bytes."""
    rows = []
    for y in row_order(top_down=top_down):
        bits = "".join(f"{index(x, y, depth):0{depth}b}" for x in range(WIDTH))
        bits += "0" * (-len(bits) % 32)
        rows.append(int(bits, 2).to_bytes(len(bits) // 8, "big"))
    return b"".join(rows)


def scaled(value: int, mask: int) -> int:
    """A value of 8 bits put where *mask* has its bits."""
    if not mask:
        return 0
    shift = (mask & -mask).bit_length() - 1
    most = mask >> shift
    return round(value * most / 255) << shift


def direct(
    depth: int, masks: Sequence[int], *, top_down: bool = False, alpha: int | None = None
) -> bytes:
    """Rows of pixels whose channels are where the masks say."""
    rows = []
    for y in row_order(top_down=top_down):
        row = b""
        for x in range(WIDTH):
            channels = color(x, y) if alpha is None else (*color(x, y)[:3], alpha)
            value = sum(scaled(c, m) for c, m in zip(channels, masks, strict=False))
            row += value.to_bytes(depth // 8, "little")
        rows.append(row + bytes(-len(row) % 4))
    return b"".join(rows)


MASKS = {
    "555": (16, (0x7C00, 0x03E0, 0x001F)),
    "565": (16, (0xF800, 0x07E0, 0x001F)),
    "bgr565": (16, (0x001F, 0x07E0, 0xF800)),
    "444": (16, (0x0F00, 0x00F0, 0x000F)),
    "332": (16, (0x00E0, 0x001C, 0x0003)),
    "664": (16, (0xFC00, 0x03F0, 0x000F)),
    "888": (32, (0xFF0000, 0x00FF00, 0x0000FF)),
    "rgb": (32, (0x0000FF, 0x00FF00, 0xFF0000)),
    "high": (32, (0xFF000000, 0x00FF0000, 0x0000FF00)),
    "10-10-10": (32, (0x3FF00000, 0x000FFC00, 0x000003FF)),
    "11-11-10": (32, (0xFFE00000, 0x001FFC00, 0x000003FF)),
    "no-green": (32, (0xFF0000, 0, 0x0000FF)),
    "one-bit": (32, (0x4, 0x2, 0x1)),
}
ALPHA_MASKS = {
    "1555": (16, (0x7C00, 0x03E0, 0x001F, 0x8000)),
    "4444": (16, (0x0F00, 0x00F0, 0x000F, 0xF000)),
    "8888": (32, (0xFF0000, 0x00FF00, 0x0000FF, 0xFF000000)),
    "rgba": (32, (0x0000FF, 0x00FF00, 0xFF0000, 0xFF000000)),
    "abgr": (32, (0xFF000000, 0x00FF0000, 0x0000FF00, 0x000000FF)),
    "10-10-10-2": (32, (0x3FF00000, 0x000FFC00, 0x000003FF, 0xC0000000)),
}


def runs(depth: int, *, absolute: bool = False) -> bytes:
    """RLE4, RLE8 or RLE24: one run for each pixel or absolute rows, then the end."""
    rows = []
    for y in row_order():
        units = [_unit(x, y, depth) for x in range(WIDTH)]
        if absolute:
            rows.append(bytes((0, WIDTH)) + _packed(units, depth))
        else:
            rows.append(
                b"".join(bytes((1,)) + (u if depth != 4 else bytes((u[0] << 4,))) for u in units)
            )
    return b"\0\0".join(rows) + b"\0\1"


def _unit(x: int, y: int, depth: int) -> bytes:
    if depth == 24:
        return bytes(color(x, y)[2::-1])
    return bytes((index(x, y, depth),))


def _packed(units: list[bytes], depth: int) -> bytes:
    flat = b"".join(units)
    if depth == 4:
        flat += bytes(len(flat) % 2)
        flat = bytes(a << 4 | b for a, b in zip(flat[::2], flat[1::2], strict=True))
    return flat + bytes(len(flat) % 2)


def files() -> Iterator[tuple[str, bytes]]:
    """Every file with its name."""
    yield from _indexed_files()
    yield from _direct_files()
    yield from _version_files()
    yield from _mask_files()
    yield from _run_files()
    yield from _cut_files()


def _indexed_files() -> Iterator[tuple[str, bytes]]:
    for depth in (1, 2, 4, 8):
        count = 1 << depth
        for size in (12, 16, 40, 52, 56, 64, 108, 124):
            if (depth, size) == (2, 12):
                continue  # OS/2 has no such image, and browsers show none
            header = information(size, depth, 0)
            entries = table(count, 3 if size == 12 else 4)
            yield f"pal{depth}-header{size}", file(header, indexed(depth), entries)
        header = information(40, depth, 0, top_down=True)
        yield f"pal{depth}-top-down", file(header, indexed(depth, top_down=True), table(count))
        few = max(1, count // 2)
        header = information(40, depth, 0, colors=few)
        yield f"pal{depth}-half-palette", file(header, indexed(depth), table(few))
    for colors in (257, 300, 1000):
        header = information(40, 8, 0, colors=colors)
        yield f"pal8-{colors}-colors", file(header, indexed(8), table(colors))


def _direct_files() -> Iterator[tuple[str, bytes]]:
    plain16, plain32 = MASKS["555"][1], MASKS["888"][1]
    for size in (12, 40, 52, 56, 108, 124):
        for depth, masks in ((16, plain16), (24, plain32), (32, plain32)):
            if size == 12 and depth != 24:
                continue
            yield (
                f"rgb{depth}-header{size}",
                file(information(size, depth, 0), direct(depth, masks)),
            )


def _version_files() -> Iterator[tuple[str, bytes]]:
    plain16, plain32 = MASKS["555"][1], MASKS["888"][1]
    for size in (52, 56, 108, 124):
        for alpha in (0, 9):
            masks = (*plain32, 0xFF000000)
            header = with_masks(information(size, 32, 0), masks)
            yield f"rgb32-all-{alpha}-header{size}", file(header, direct(32, masks, alpha=alpha))
        masks = (*plain16, 0x8000)
        header = with_masks(information(size, 16, 0), masks)
        yield f"rgb16-alpha-header{size}", file(header, direct(16, masks))
    for size in (40, 52, 56, 108, 124):
        masks = (*plain32, 0xFF000000)
        header = information(size, 32, 0)
        yield f"rgb32-alpha-header{size}", file(header, direct(32, masks))
        header = with_masks(information(size, 32, 0), masks) if size > 40 else header
        yield f"rgb32-alpha-masks-header{size}", file(header, direct(32, masks))


def _mask_files() -> Iterator[tuple[str, bytes]]:
    for name, (depth, masks) in MASKS.items():
        for size in (40, 52, 56, 108, 124):
            header = with_masks(information(size, depth, 3), masks)
            yield f"masks-{name}-header{size}", file(header, direct(depth, masks))
    for name, (depth, masks) in ALPHA_MASKS.items():
        for size in (56, 108, 124):
            header = with_masks(information(size, depth, 3), masks)
            yield f"alpha-{name}-header{size}", file(header, direct(depth, masks))
            for alpha in (0, 255):
                pixels = direct(depth, masks, alpha=alpha)
                yield f"alpha-{name}-header{size}-all-{alpha}", file(header, pixels)
        header = with_masks(information(40, depth, 6), masks)
        yield f"alphabitfields-{name}", file(header, direct(depth, masks))
        header = with_masks(information(40, depth, 3, top_down=True), masks[:3])
        yield f"masks-{name}-top-down", file(header, direct(depth, masks, top_down=True))


def _run_files() -> Iterator[tuple[str, bytes]]:
    for depth, code in ((4, 2), (8, 1)):
        for absolute in (False, True):
            header, body = information(40, depth, code), runs(depth, absolute=absolute)
            name = f"rle{depth}-{'absolute' if absolute else 'runs'}"
            yield name, file(header, body, table(1 << depth))
            yield f"{name}-no-end", file(header, body[:-2], table(1 << depth))
            for share in (0.3, 0.5, 0.9):
                cut = body[: int(len(body) * share)]
                yield f"{name}-cut-{share}", file(header, cut, table(1 << depth))
        skip = bytes((3, 1, 0, 2, 4, 0, 3, 2, 0, 0)) * 3 + b"\0\1"
        yield f"rle{depth}-skips", file(information(40, depth, code), skip, table(1 << depth))
        wide = bytes((200, 1, 0, 0)) * HEIGHT + b"\0\1"
        yield f"rle{depth}-beyond-row", file(information(40, depth, code), wide, table(1 << depth))
    for absolute in (False, True):
        name = f"rle24-{'absolute' if absolute else 'runs'}"
        yield name, file(information(64, 24, 4), runs(24, absolute=absolute))


def _cut_files() -> Iterator[tuple[str, bytes]]:
    whole = {
        "pal4": file(information(40, 4, 0), indexed(4), table(16)),
        "pal8": file(information(40, 8, 0), indexed(8), table(256)),
        "rgb24": file(information(40, 24, 0), direct(24, MASKS["888"][1])),
        "rgb32": file(information(40, 32, 0), direct(32, MASKS["888"][1])),
        "top": file(
            information(40, 24, 0, top_down=True), direct(24, MASKS["888"][1], top_down=True)
        ),
    }
    for name, data in whole.items():
        pixels = struct.unpack_from("<I", data, 10)[0]
        for share in (0.25, 0.5, 0.9, 0.99):
            yield f"{name}-cut-{share}", data[: pixels + int((len(data) - pixels) * share)]
