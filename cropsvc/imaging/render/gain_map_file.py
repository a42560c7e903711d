"""The file of an Ultra HDR photo (Ultra HDR 1.1): an image, with its gain map behind it.

The primary image says where the map is by XMP (Container) and by CIPA DC-007's index (MPF).
"""

import struct
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from PIL import Image

from cropsvc.imaging.formats import Encoding, Options
from cropsvc.imaging.headers import xmp
from cropsvc.imaging.headers.gain_map import HDRGM, GainMap
from cropsvc.imaging.headers.jpeg import GAIN_MAP
from cropsvc.imaging.headers.mpf import MPF
from cropsvc.imaging.render.encode import encode

CONTAINER = "http://ns.google.com/photos/1.0/container/"
PRIMARY = 0x030000  # the attribute of the baseline image, in MPF
VERSION = bytes(4)  # of ISO 21496-1: all that the primary image says


@dataclass(frozen=True)
class CutMap:
    """A gain map that shows what its output shows."""

    image: Image.Image
    found: GainMap
    profile: bytes  # of the colours in which the map is applied, if they are not the image's

    def file(self, encoding: Encoding) -> bytes:
        """Return the map as the JPEG that stands behind the image, with its figures."""
        kept: Options = {}
        if self.found.figures:
            kept["xmp"] = xmp.packet(_figures(self.found))
        if self.profile:
            kept["icc_profile"] = self.profile
        data = encode(self.image, "jpeg", encoding, kept)
        if not self.found.iso:
            return data
        return _inserted(data, _app2(GAIN_MAP + b"\0" + self.found.iso))

    def description(self, length: int) -> str:
        """Return what the primary image says in XMP of a map of *length* bytes."""
        if not self.found.figures:
            return ""
        item = '<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="{}" '
        item += 'Item:Mime="image/jpeg"{}/></rdf:li>'
        items = item.format("Primary", "") + item.format("GainMap", f' Item:Length="{length}"')
        names = {"hdrgm": HDRGM, "Container": CONTAINER, "Item": f"{CONTAINER}item/"}
        content = f"<Container:Directory><rdf:Seq>{items}</rdf:Seq></Container:Directory>"
        return xmp.description(names, content, ' hdrgm:Version="1.0"')

    def behind(self, primary: bytes, file: bytes) -> bytes:
        """Return the *primary* image with the map's *file* behind it, and the index of both."""
        version = _app2(GAIN_MAP + b"\0" + VERSION) if self.found.iso else b""
        place = _after_metadata(primary)
        whole = len(primary) + len(version) + len(_index(0, 0, 0))
        base = place + len(version) + 4 + len(MPF)  # MPF counts from its own header
        index = _index(whole, len(file), whole - base)
        return b"".join((primary[:place], version, index, primary[place:], file))


def _figures(found: GainMap) -> str:
    said = f' hdrgm:Version="1.0" hdrgm:BaseRenditionIsHDR="{found.base_is_hdr}"'
    lists = ""
    for name, values in found.figures:
        if len(values) == 1:
            said += f" hdrgm:{name}={quoteattr(values[0])}"
            continue
        items = "".join(f"<rdf:li>{value}</rdf:li>" for value in values)
        lists += f"<hdrgm:{name}><rdf:Seq>{items}</rdf:Seq></hdrgm:{name}>"
    return xmp.description({"hdrgm": HDRGM}, lists, said)


def _app2(body: bytes) -> bytes:
    return b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body


def _index(primary: int, behind: int, offset: int) -> bytes:
    """Return MPF's segment for two images (CIPA DC-007, 5.2)."""
    entries = struct.pack(">3I2H", PRIMARY, primary, 0, 0, 0)
    entries += struct.pack(">3I2H", 0, behind, offset, 0, 0)
    fields = struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
    fields += struct.pack(">HHII", 0xB001, 4, 1, 2)
    fields += struct.pack(">HHII", 0xB002, 7, len(entries), 8 + 2 + 3 * 12 + 4)
    head = b"MM\0*" + struct.pack(">IH", 8, 3)
    return _app2(MPF + head + fields + bytes(4) + entries)


def _after_metadata(data: bytes) -> int:
    """Return where the segments APP0 and APP1 end."""
    place = 2
    while data[place : place + 2] in (b"\xff\xe0", b"\xff\xe1"):
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return place


def _inserted(data: bytes, segment: bytes) -> bytes:
    place = _after_metadata(data)
    return data[:place] + segment + data[place:]
