"""Broken files at random, rendered in this process under the crop process's memory limit.

`python -m tests.imaging.fuzz SECONDS [SEED]` cuts off, flips, splices and edits files of every
format that is read, and prints one line of JSON: how many files, the outcomes, the longest time and
the most memory that one file took. Anything but an error of ours, and a file that takes more than
its bound, ends it, after the file is written to the current directory's `fuzz-failure.bin`.

The bound is for one file, from the memory that the process had before: libavif keeps memory of a
file that it fails on, and the worker starts a fresh crop process after such a one.
"""

import json
import random
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from PIL import Image

from cropsvc.imaging.headers.probe import probe
from cropsvc.imaging.params.parser import CropRequest, parse
from cropsvc.imaging.render.render import render
from cropsvc.model.errors import CropError
from cropsvc.model.limits import Limits
from tests import pictures
from tests.imaging import ultra_hdr
from tests.imaging.measured import ADDRESS_SPACE, peak, resident

LIMITS = Limits(pixels=4_000_000)
BASE = 60_000_000  # bytes of the bound that do not depend on the picture
ENCODED = 30  # bytes of the bound per pixel of an AVIF output
KINDS = (("xmp",), ("iso",))  # how an Ultra HDR photo describes its gain map
REQUESTS = [
    parse(pairs)
    for pairs in (
        [("format", "png")],
        [("format", "jpeg"), ("size", "40x30")],
        [("format", "jpeg"), ("hdr", "keep"), ("rotate", "3.5")],
        [("box", "10%,10%,50%,50%")],
        [("box", "0,0,16,16"), ("format", "webp")],
        [("format", "gif"), ("rotate", "90")],
        [("outputs", '[{"size": "20x"}, {"format": "avif", "size": "16x16"}, {"box": "0,0,9,9"}]')],
    )
]


def corpus() -> list[bytes]:
    """Files of every format that is read, in its kinds."""
    photo = Image.fromarray(pictures.photo(64, 48))
    gray = photo.convert("L")
    clear = photo.copy()
    clear.putalpha(gray)

    def moving(**more: object) -> dict[str, object]:
        return {"save_all": True, "append_images": [photo.rotate(9), photo.rotate(18)], **more}

    exif = Image.Exif()
    exif[pictures.ORIENTATION] = 6
    xmp = b'<x tiff:Orientation="3"/>'
    made: list[tuple[Image.Image, str, dict[str, object]]] = [
        (photo, "jpeg", {}),
        (photo, "jpeg", {"progressive": True, "exif": exif}),
        (photo, "jpeg", {"subsampling": 0, "restart_marker_blocks": 2, "xmp": xmp}),
        (photo.convert("CMYK"), "jpeg", {}),
        (photo, "mpo", moving()),
        (photo, "png", {"exif": exif}),
        (photo.quantize(16), "png", {"transparency": 3}),
        (clear, "png", {}),
        (gray, "png", {"bits": 4}),
        (photo, "png", moving()),
        (photo, "webp", {}),
        (clear, "webp", {"lossless": True, "exif": exif}),
        (photo, "webp", moving()),
        (photo, "gif", {}),
        (photo, "gif", moving(loop=0, duration=50)),
        (photo, "avif", {"speed": 10, "exif": exif}),
        (clear, "avif", {"speed": 10}),
        (photo, "avif", moving(speed=10)),
        (photo, "tiff", {"exif": exif}),
        (photo, "tiff", {"compression": "tiff_lzw"}),
        (photo, "tiff", {"compression": "jpeg"}),
        (gray.convert("1"), "tiff", {"compression": "group4"}),
        (gray.convert("F"), "tiff", {}),
        (photo, "tiff", moving()),
        (photo, "tiff", {"big_tiff": True}),
        (photo, "bmp", {}),
        (photo.quantize(16), "bmp", {}),
    ]
    bright = [ultra_hdr.photo((64, 48), kinds=kinds, map_size=(16, 12)) for kinds in KINDS]
    return bright + [pictures.save(image.copy(), kind, **options) for image, kind, options in made]


def broken(files: list[bytes], chance: random.Random) -> bytes:
    """One of the files, hurt once or several times."""
    data = bytearray(chance.choice(files))
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        if not data:
            break
        chance.choice((_cut, _flip, _write, _header, _splice, _repeat, _remove))(
            data, files, chance
        )
    return bytes(data)


def _cut(data: bytearray, files: list[bytes], chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _flip(data: bytearray, files: list[bytes], chance: random.Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _write(data: bytearray, files: list[bytes], chance: random.Random) -> None:
    place = chance.randrange(len(data))
    value = chance.choice(
        (b"\0", b"\xff", b"\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xd9", b"\0" * 8)
    )
    data[place : place + len(value)] = value


def _header(data: bytearray, files: list[bytes], chance: random.Random) -> None:
    data[chance.randrange(min(len(data), 200))] = chance.randrange(256)


def _splice(data: bytearray, files: list[bytes], chance: random.Random) -> None:
    other = chance.choice(files)
    place, start = chance.randrange(len(data)), chance.randrange(len(other))
    data[place:] = other[start:]


def _repeat(data: bytearray, files: list[bytes], chance: random.Random) -> None:
    place = chance.randrange(len(data))
    data[place:place] = data[place : place + chance.randrange(64)] * chance.randrange(1, 20)


def _remove(data: bytearray, files: list[bytes], chance: random.Random) -> None:
    place = chance.randrange(len(data))
    del data[place : place + chance.randrange(1, 32)]


def outcome(data: bytes, request: CropRequest) -> str:
    """`done`, or the code of an error of ours."""
    try:
        made = render(data, request, LIMITS, lambda stage, at: None)
    except CropError as error:
        return error.code
    codes = sorted({one.error.code if one.error else "done" for one in made})
    return "+".join(codes)


def bound(data: bytes) -> int:
    """The bytes that this file may cost; for one that is refused, a picture of no size."""
    try:
        source = probe(data, LIMITS)
    except CropError:
        return BASE
    return BASE + 3 * 4 * source.width * source.height + ENCODED * 16 * 16


def main() -> None:
    seconds, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    chance, files = random.Random(seed), corpus()
    for data in files:
        for request in REQUESTS:
            if (told := outcome(data, request)) != "done":
                raise SystemExit(f"a whole file of the corpus gives {told}")
    counts: Counter[str] = Counter()
    slowest, most, end = 0.0, 0, time.monotonic() + seconds
    while time.monotonic() < end:
        data, request = broken(files, chance), chance.choice(REQUESTS)
        before, highest = resident(), peak()
        start = time.thread_time()
        try:
            counts[outcome(data, request)] += 1
        except BaseException:
            Path("fuzz-failure.bin").write_bytes(data)
            print(request.to_json(), file=sys.stderr)  # noqa: T201 - for whoever looks into it
            raise
        slowest = max(slowest, time.thread_time() - start)
        took = peak() - before if peak() > highest else 0  # below the highest, nobody can tell
        most = max(most, took)
        if took > bound(data):
            Path("fuzz-failure.bin").write_bytes(data)
            raise SystemExit(f"{took:,} bytes where {bound(data):,} are allowed")
    told = {"files": sum(counts.values()), "outcomes": dict(counts), "slowest_s": round(slowest, 3)}
    print(json.dumps(told | {"most": most}))  # noqa: T201 - for the parent process, and for whoever runs it by hand


if __name__ == "__main__":
    main()
