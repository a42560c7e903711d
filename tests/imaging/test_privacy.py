"""Nothing of a source's metadata is in any output, whatever the way."""

import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests import pictures
from tests.imaging.engine import crop, opened
from tests.imaging.test_color import WIDE

SECRET = "Secret4711"
OUTPUTS = ("jpeg", "png", "webp", "avif", "gif")
TRACES = (SECRET.encode(), b"Exif", b"http://ns.adobe", b"8BIM", b"tEXt", b"iTXt", b"zTXt", b"eXIf")
PICTURE = Image.fromarray(pictures.photo(64, 48))


def exif() -> bytes:
    """Maker, model, a maker note, an owner and a place."""
    block = Image.Exif()
    block[0x010F] = SECRET
    block[0x0110] = SECRET
    block[0x013B] = SECRET
    block[0x8298] = SECRET
    details = block.get_ifd(0x8769)
    details[0x927C] = SECRET.encode() * 4
    details[0x9286] = SECRET.encode()
    place = block.get_ifd(0x8825)
    place[1] = "N"
    place[2] = (52.0, 31.0, SECRET.__len__())
    return block.tobytes()


XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a b="{SECRET}"/></x:xmpmeta>'.encode()


def iptc(data: bytes) -> bytes:
    """The JPEG with a Photoshop block that holds an IPTC caption, and a comment."""
    caption = b"\x1c\x02\x78" + struct.pack(">H", len(SECRET)) + SECRET.encode()
    block = (
        b"8BIM\x04\x04\0\0" + struct.pack(">I", len(caption)) + caption + b"\0" * (len(caption) & 1)
    )
    body = b"Photoshop 3.0\0" + block
    app13 = b"\xff\xed" + struct.pack(">H", len(body) + 2) + body
    comment = b"\xff\xfe" + struct.pack(">H", len(SECRET) + 2) + SECRET.encode()
    return data[:2] + app13 + comment + data[2:]


def texts() -> PngInfo:
    info = PngInfo()
    info.add_text("Author", SECRET)
    info.add_text("Comment", SECRET, zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return info


def tail_text(data: bytes) -> bytes:
    """The PNG with a text chunk behind its picture."""
    body = b"tEXtComment\0" + SECRET.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:-12] + chunk + data[-12:]


def long_texts() -> PngInfo:
    """Packed texts that are more than a megabyte each, as some programs' XMP is."""
    info = PngInfo()
    info.add_text("Comment", SECRET * 200_000, zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode() + " " * 2_000_000, zip=True)
    return info


def tiff() -> bytes:
    tags = {270: SECRET, 271: SECRET, 305: SECRET, 315: SECRET, 33432: SECRET, 700: XMP}
    return pictures.save(PICTURE, "tiff", tiffinfo=tags)


SOURCES = {
    "jpeg-exif": pictures.save(PICTURE, "jpeg", exif=exif(), xmp=XMP),
    "jpeg-iptc": iptc(pictures.save(PICTURE, "jpeg")),
    "jpeg-comment": pictures.save(PICTURE, "jpeg", comment=SECRET.encode()),
    "png": pictures.save(PICTURE, "png", exif=exif(), pnginfo=texts(), icc_profile=WIDE),
    "png-long": pictures.save(PICTURE, "png", pnginfo=long_texts()),
    "png-behind": tail_text(pictures.save(PICTURE, "png")),
    "webp": pictures.save(PICTURE, "webp", exif=exif(), xmp=XMP),
    "avif": pictures.save(PICTURE, "avif", exif=exif(), xmp=XMP),
    "gif": pictures.save(PICTURE, "gif", comment=SECRET.encode()),
    "gif-moving": pictures.save(
        PICTURE, "gif", comment=SECRET.encode(), save_all=True, append_images=[PICTURE.rotate(9)]
    ),
    "webp-moving": pictures.save(
        PICTURE, "webp", exif=exif(), xmp=XMP, save_all=True, append_images=[PICTURE.rotate(9)]
    ),
    "tiff": tiff(),
    "mpo": pictures.save(
        PICTURE, "mpo", exif=exif(), save_all=True, append_images=[PICTURE.rotate(9)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("params", [{}, {"size": "20x20"}, {"box": "0,0,10,10"}], ids=str)
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("name", SOURCES)
def test_no_trace_is_left(name: str, output: str, params: dict[str, str]) -> None:
    made = crop(SOURCES[name], format=output, **params)
    assert "metadata-dropped" in made.notes
    for trace in TRACES:
        assert trace not in made.data, trace
    image = opened(made)
    assert not dict(image.getexif())
    for key in ("exif", "xmp", "comment", "icc_profile", "photoshop", "Author", "Comment"):
        assert key not in image.info, key


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "avif", "gif", "tiff", "bmp"])
def test_a_file_without_metadata_has_no_note(kind: str) -> None:
    assert crop(pictures.save(PICTURE, kind)).notes == ()
