"""A gain map cut, turned and scaled like its image, and written behind it (Ultra HDR 1.1).

The primary image says where the map is by XMP (Container) and by CIPA DC-007's index (MPF).
"""

import struct
from dataclasses import dataclass
from math import ceil
from xml.sax.saxutils import quoteattr

from PIL import Image

from cropsvc.imaging.formats import Encoding, Options
from cropsvc.imaging.geometry.decoding import shrink_for
from cropsvc.imaging.geometry.orientation import Sides
from cropsvc.imaging.headers import xmp
from cropsvc.imaging.headers.gain_map import HDRGM, GainMap, Range, find_gain_map
from cropsvc.imaging.headers.jpeg import GAIN_MAP, GAIN_MAP_NOTE
from cropsvc.imaging.headers.model import broken
from cropsvc.imaging.headers.probe import Source
from cropsvc.imaging.render.decode import stored_sides
from cropsvc.imaging.render.encode import encode
from cropsvc.imaging.render.jpeg import decode_jpeg
from cropsvc.imaging.render.output_plan import OutputPlan
from cropsvc.imaging.render.pillow_setup import decoding
from cropsvc.imaging.render.postprocess import TRANSPOSES, straightened
from cropsvc.imaging.render.resize import cut
from cropsvc.model.errors import CropError

CONTAINER = "http://ns.google.com/photos/1.0/container/"
MPF = b"MPF\0"
PRIMARY = 0x030000  # the attribute of the baseline image, in MPF
VERSION = bytes(4)  # of ISO 21496-1: all that the primary image says


@dataclass(frozen=True)
class CutMap:
    """A gain map that shows what its output shows."""

    image: Image.Image
    found: GainMap

    def file(self, encoding: Encoding) -> bytes:
        """Return the map as the JPEG that stands behind the image, with its figures."""
        kept: Options = {}
        if self.found.figures:
            kept = {"xmp": xmp.packet(_figures(self.found))}
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


class GainMaps:
    """The gain map of an upload, for the outputs that are to keep it. No output fails for it."""

    def __init__(self, data: bytes, source: Source, scans: int) -> None:
        self._data, self._source, self._scans = data, source, scans
        self._found: GainMap | None = None
        self._kept = set[str]()  # names of outputs

    def of(self, task: OutputPlan) -> CutMap | None:
        """Return the map for an output; None if it is not asked for, missing, or not usable."""
        source = self._source
        if task.crop.hdr != "keep" or task.output != "jpeg" or not source.has_gain_map:
            return None
        if self._found is None:
            self._found = find_gain_map(self._data, self._scans)
        found = self._found
        if found is None or found.width * found.height > source.width * source.height:
            return None
        try:
            image = cut_map(found, source, task)
        except CropError:
            return None
        self._kept.add(task.crop.name)
        return CutMap(image, found)

    def notes(self, task: OutputPlan) -> tuple[str, ...]:
        """Return what of the source is dropped, once the output was made."""
        kept = task.crop.name in self._kept
        return tuple(note for note in self._source.dropped if not kept or note != GAIN_MAP_NOTE)


def cut_map(found: GainMap, source: Source, task: OutputPlan) -> Image.Image:
    """Return the part of the map that belongs to an output, at the map's own share of its sides.

    Raises what decoding raises.
    """
    stored = stored_sides(source)
    shares = found.width / stored[0], found.height / stored[1]
    sides = _times(task.sides, shares)
    x, y, width, height = task.region
    box = (x * shares[0], y * shares[1], (x + width) * shares[0], (y + height) * shares[1])
    part = (int(box[0]), int(box[1]), ceil(box[2] - box[0]), ceil(box[3] - box[1]))
    shrink = shrink_for([(part, sides)])
    with decoding():
        whole = decode_jpeg(found.data, shrink=shrink, bottom=ceil(box[3]))
        if whole.mode not in ("L", "RGB"):
            raise broken("its gain map is damaged")
    image = cut(whole, (box[0] / shrink, box[1] / shrink, box[2] / shrink, box[3] / shrink), sides)
    return _finished(image, found, task, shares[::-1] if task.turn.swap else shares)


def _finished(
    image: Image.Image, found: GainMap, task: OutputPlan, shares: tuple[float, float]
) -> Image.Image:
    if task.turn in TRANSPOSES:
        image = image.transpose(TRANSPOSES[task.turn])
    if task.tilt:
        scaled = _times(task.plan.scaled, shares)
        image = straightened(image, task.tilt, task.plan.region, scaled)
    canvas = _times(task.plan.canvas, shares)
    if image.size == canvas:
        return image
    padded = Image.new(image.mode, canvas, _no_gain(found.ranges, len(image.getbands())))
    padded.paste(image, ((canvas[0] - image.width) // 2, (canvas[1] - image.height) // 2))
    return padded


def _times(sides: Sides, shares: tuple[float, float]) -> Sides:
    return max(1, round(sides[0] * shares[0])), max(1, round(sides[1] * shares[1]))


def _no_gain(ranges: tuple[Range, ...], bands: int) -> tuple[int, ...]:
    """Return the map's value that leaves the image as it is: the padding is no brighter."""
    values = []
    for low, high, gamma in ranges:
        share = min(1.0, max(0.0, -low / (high - low))) if high > low else 0.0
        values.append(round(255 * share**gamma))
    return tuple(values[at % len(values)] for at in range(bands))


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
