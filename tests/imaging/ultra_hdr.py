"""Ultra HDR photos, built segment by segment."""

import struct
from io import BytesIO

from PIL import Image

from cropsvc.imaging.headers import xmp
from cropsvc.imaging.headers.gain_map import HDRGM
from tests import pictures

MAP = (160, 120)  # sides of the map
XMP_FIGURES: dict[str, object] = {
    "GainMapMin": "0.125", "GainMapMax": "2.321928", "Gamma": "1.25", "OffsetSDR": "0.015625",
    "OffsetHDR": "0.03125", "HDRCapacityMin": "0.5", "HDRCapacityMax": "2.75",
}  # fmt: skip
ISO = struct.pack(
    ">HHB4I", 0, 0, 0, 0, 1, 3, 1
) + struct.pack(">iIiIIIiIiI", -1, 1, 3, 1, 1, 1, 1, 64, 1, 64)  # fmt: skip
ISO_COMMON = struct.pack(">HHB3I", 0, 0, 8, 64, 0, 192) + struct.pack(">iiIii", -64, 192, 64, 1, 1)
URN = b"urn:iso:std:iso:ts:21496:-1\0"
XMP_START = b"http://ns.adobe.com/xap/1.0/\0"


def iso_segment(payload: bytes) -> bytes:
    """The segment of ISO 21496-1."""
    return b"\xff\xe2" + struct.pack(">H", len(URN) + len(payload) + 2) + URN + payload


def xmp_segment(packet: bytes) -> bytes:
    """The segment of an XMP packet."""
    return b"\xff\xe1" + struct.pack(">H", len(XMP_START) + len(packet) + 2) + XMP_START + packet


def packet_of(figures: dict[str, object], secret: str = "") -> bytes:
    """What a map says of itself in XMP; a tuple becomes a list."""
    said, lists = ' hdrgm:Version="1.0"', f"<secret xmlns='urn:x'>{secret}</secret>"
    for name, value in figures.items():
        if isinstance(value, tuple):
            items = "".join(f"<rdf:li>{one}</rdf:li>" for one in value)
            lists += f"<hdrgm:{name}><rdf:Seq>{items}</rdf:Seq></hdrgm:{name}>"
        else:
            said += f' hdrgm:{name}="{value}"'
    return xmp.packet(xmp.description({"hdrgm": HDRGM}, lists, said))


def photo(
    size: tuple[int, int],
    *,
    kinds: tuple[str, ...] = ("xmp",),
    channels: int = 1,
    figures: dict[str, object] = XMP_FIGURES,
    iso: bytes = ISO,
    packet: bytes | None = None,
    map_size: tuple[int, int] = MAP,
    orientation: int = 1,
    alike: bool = False,
    progressive: bool = False,
    exif: Image.Exif | None = None,
    secret: str = "",
    apple: bool = False,
    profile: bytes = b"",
) -> bytes:
    """A photo with a gain map; *alike*: a map that shows the image itself, in grey."""
    exif = exif or Image.Exif()
    if orientation != 1:
        exif[pictures.ORIENTATION] = orientation
    image = Image.fromarray(pictures.photo(*size, seed=2))
    shown = image if alike else Image.fromarray(pictures.photo(*size, seed=9))
    gains = shown.resize(map_size, Image.Resampling.BOX).convert("RGB" if channels == 3 else "L")
    primary = _jpeg(image, exif=exif)
    behind = _jpeg(gains, progressive=progressive, icc_profile=profile)
    if "xmp" in kinds and (figures or packet):
        behind = _with(behind, xmp_segment(packet or packet_of(figures, secret)))
    said = ""
    if apple:
        said = (
            "<x xmlns:apdi='http://ns.apple.com/pixeldatainfo/1.0/' apdi:AuxiliaryImageType='u'/>"
        )
    if "iso" in kinds:
        behind = _with(behind, iso_segment(iso))
        primary = _with(primary, iso_segment(bytes(4)))
    attributes = ' hdrgm:Version="1.0"' if "xmp" in kinds else ""
    description = xmp.description({"hdrgm": HDRGM}, said, attributes)
    return _with(primary, xmp_segment(xmp.packet(description))) + behind


def _jpeg(image: Image.Image, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def _with(data: bytes, segment: bytes) -> bytes:
    return data[:2] + segment + data[2:]
