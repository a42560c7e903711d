"""Creator, copyright and credit line: read from EXIF, XMP or IPTC, written as fresh EXIF and XMP.

EXIF 2.32 tags 0x013B and 0x8298; XMP dc:creator, dc:rights, photoshop:Credit; IPTC IIM 2:80,
2:116, 2:110. Nothing else of the source's metadata is ever written.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from io import BytesIO
from typing import TypeVar
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from PIL import Image, IptcImagePlugin
from PIL.PngImagePlugin import PngInfo

from cropsvc.imaging.formats import Options
from cropsvc.imaging.headers import xmp
from cropsvc.imaging.headers.avif_repair import readable
from cropsvc.imaging.headers.gif import XMP as GIF_XMP
from cropsvc.imaging.headers.gif import XMP_END as GIF_XMP_END
from cropsvc.imaging.render.decode import open_heif

T = TypeVar("T")

ARTIST, COPYRIGHT = 0x013B, 0x8298
IPTC = {"creator": (2, 80), "rights": (2, 116), "credit": (2, 110)}
DC, PHOTOSHOP = "{http://purl.org/dc/elements/1.1/}", "{http://ns.adobe.com/photoshop/1.0/}"
MAX_TEXT = 2000  # characters of one text
PNG_XMP = b"XML:com.adobe.xmp\0"  # XMP 3, chapter 1.1.5: not compressed, no language


@dataclass(frozen=True)
class Credits:
    """Who made an image, who holds its rights, whom to name; empty where it is not said."""

    creator: str = ""
    rights: str = ""
    credit: str = ""

    def __bool__(self) -> bool:
        return bool(self.creator or self.rights or self.credit)


NOTHING = Credits()


def read_credits(data: bytes, source: str) -> Credits:
    """Return what an upload says. Broken metadata says nothing."""
    image = _or_none(lambda: _opened(data, source))
    if image is None:
        return Credits()
    exif: Mapping[int, object] = _or_none(lambda: _exif_of(image, data)) or {}
    found = [
        _or_none(lambda: _from_xmp(_xmp(image, data))) or Credits(),
        Credits(_utf8(exif.get(ARTIST)), _utf8(exif.get(COPYRIGHT))),
        _or_none(lambda: _from_iptc(image)) or Credits(),
    ]
    return Credits(*(_first(getattr(one, f.name) for one in found) for f in fields(Credits)))


def options_for(credits: Credits, output: str, more_xmp: str = "") -> Options:
    """Return Pillow's options that write the credits, and descriptions in XMP, into this format."""
    described = (_description(credits) if credits else "") + more_xmp
    if not described or output == "gif":
        return {}
    packet = xmp.packet(described)
    options: Options = {"exif": _exif(credits)} if credits else {}
    if output != "png":
        return options | {"xmp": packet}
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet.decode())
    return options | {"pnginfo": info}


def _opened(data: bytes, source: str) -> Image.Image:
    if source == "heif":
        return open_heif(data)
    file = BytesIO(readable(data) if source == "avif" else data)
    return Image.open(file, formats=[source.upper()])


def _png_chunk(data: bytes, wanted: bytes, start: bytes = b"") -> bytes:
    """Return the body of the PNG's first chunk of this kind that begins so; empty without."""
    place = 8
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        body = data[place + 8 : place + 8 + length]
        if data[place + 4 : place + 8] == wanted and body.startswith(start):
            return body
        place += 12 + length
    return b""


def _or_none(read: Callable[[], T]) -> T | None:
    """Return what *read* returns; None if what it reads is broken."""
    try:
        return read()
    except Exception:  # noqa: BLE001 - Pillow's parsers raise anything; no crop fails for a credit
        return None


def _xmp(image: Image.Image, data: bytes) -> bytes:
    if image.format == "PNG":  # its texts are skipped when it is decoded
        return _png_chunk(data, b"iTXt", PNG_XMP).removeprefix(PNG_XMP).lstrip(b"\0")
    if image.format == "GIF":  # Pillow takes a packet for blocks
        return data.partition(GIF_XMP)[2].partition(GIF_XMP_END)[0]
    packet = image.info.get("xmp") or b""
    tags = getattr(image, "tag_v2", None)
    if not packet and tags:
        packet = tags.get(700, b"")
    return packet.encode() if isinstance(packet, str) else bytes(packet)


def _from_xmp(packet: bytes) -> Credits:
    root = xmp.parsed(packet)
    if root is None:
        return Credits()
    return Credits(
        ", ".join(_values(root, f"{DC}creator")),
        _first(_values(root, f"{DC}rights")),
        _first(_values(root, f"{PHOTOSHOP}Credit")),
    )


def _values(root: ElementTree.Element, name: str) -> Iterator[str]:
    for element in root.iter():
        if name in element.attrib:
            yield _text(element.attrib[name])
        if element.tag == name:
            yield from filter(None, map(_text, element.itertext()))


def _from_iptc(image: Image.Image) -> Credits:
    info = IptcImagePlugin.getiptcinfo(image) or {}  # type: ignore[arg-type]  # only read
    return Credits(**{name: _joined(info.get(tag)) for name, tag in IPTC.items()})


def _joined(value: object) -> str:
    parts = value if isinstance(value, list) else [value]
    return ", ".join(filter(None, map(_text, parts)))


def _exif_of(image: Image.Image, data: bytes) -> Image.Exif:
    exif = image.getexif()
    if not exif and image.format == "PNG":
        exif.load(b"Exif\0\0" + _png_chunk(data, b"eXIf"))
    return exif


def _utf8(value: object) -> str:
    """Return an EXIF text: Pillow reads it as Latin-1, but many programs write UTF-8."""
    return _text(value.encode("latin-1", "replace") if isinstance(value, str) else value)


def _text(value: object) -> str:
    """Return one clean line, at most MAX_TEXT characters."""
    if isinstance(value, bytes):
        value = _decoded(value)
    if not isinstance(value, str):
        return ""
    line = "".join(c if c.isprintable() else " " for c in value.replace("\0", " "))
    return " ".join(line.split())[:MAX_TEXT]


def _decoded(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _first(texts: Iterator[str]) -> str:
    return next(filter(None, texts), "")


def _exif(credits: Credits) -> bytes:
    exif = Image.Exif()
    for tag, text in ((ARTIST, credits.creator), (COPYRIGHT, credits.rights)):
        if text:
            exif[tag] = text.encode()
    return exif.tobytes()


def _description(credits: Credits) -> str:
    parts = []
    if credits.creator:
        parts.append(_list("dc:creator", "Seq", "<rdf:li>", credits.creator))
    if credits.rights:
        parts.append(_list("dc:rights", "Alt", '<rdf:li xml:lang="x-default">', credits.rights))
    if credits.credit:
        parts.append(f"<photoshop:Credit>{escape(credits.credit)}</photoshop:Credit>")
    return xmp.description({"dc": DC[1:-1], "photoshop": PHOTOSHOP[1:-1]}, "".join(parts))


def _list(name: str, kind: str, item: str, text: str) -> str:
    return f"<{name}><rdf:{kind}>{item}{escape(text)}</rdf:li></rdf:{kind}></{name}>"
