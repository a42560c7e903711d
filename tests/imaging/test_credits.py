"""`metadata=copyright`: the credits are kept, and nothing else of the source's metadata."""

from io import BytesIO

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cropsvc.imaging.headers import xmp
from cropsvc.imaging.render.credits import DC, PHOTOSHOP, read_credits
from tests import pictures
from tests.as_shown import gifs
from tests.imaging.engine import crop

XMP = xmp.packet(
    xmp.description(
        {"dc": DC[1:-1], "photoshop": PHOTOSHOP[1:-1]},
        "<dc:creator><rdf:Seq><rdf:li>Ann</rdf:li><rdf:li>Bob &amp; Co</rdf:li></rdf:Seq>"
        "</dc:creator><dc:rights><rdf:Alt>"
        '<rdf:li xml:lang="x-default">\u00a9 Ann</rdf:li></rdf:Alt>'
        "</dc:rights><photoshop:Credit>Agency</photoshop:Credit>"
        '<exif:GPSLatitude xmlns:exif="http://ns.adobe.com/exif/1.0/">52,31N</exif:GPSLatitude>',
    )
)
SECRETS = (b"52,31N", b"Camera", b"SERIAL", b"Software X", b"a comment")
WRITTEN = ("jpeg", "png", "webp", "avif")


def exif() -> bytes:
    tags = Image.Exif()
    tags[0x013B], tags[0x8298], tags[0x010F], tags[0x0131] = (
        "Ann",
        "\u00a9 Ann",
        "Camera",
        "Software X",
    )
    tags.get_ifd(0x8769)[0xA431] = "SERIAL"
    return tags.tobytes()


def source(kind: str, *, with_exif: bool = True, with_xmp: bool = True) -> bytes:
    image = Image.fromarray(pictures.photo(60, 40))
    buffer, options = BytesIO(), {}
    if with_exif:
        options["exif"] = exif()
    if with_xmp and kind == "png":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["pnginfo"] = info
    elif with_xmp:
        options["xmp"] = XMP
    image.save(buffer, kind.upper(), **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", WRITTEN)
@pytest.mark.parametrize("output", WRITTEN)
def test_credits_go_from_each_format_to_each(kind: str, output: str) -> None:
    made = crop(source(kind), format=output, metadata="copyright").data
    found = read_credits(made, output)
    assert (found.creator, found.rights, found.credit) == ("Ann, Bob & Co", "\u00a9 Ann", "Agency")
    tags = Image.open(BytesIO(made)).getexif()
    assert set(tags) == {0x013B, 0x8298}
    assert [secret for secret in SECRETS if secret in made] == []


def test_a_gifs_packet_is_read_and_noted() -> None:
    """A packet in a GIF is no chain of blocks: a tail of falling numbers ends it."""
    data = pictures.encode(pictures.photo(60, 40), "gif")
    first = data.index(b",", 13 + (6 << (data[10] & 7)))  # of a frame
    tail = b"\1" + bytes(range(255, -1, -1)) + b"\0"
    made = crop(
        data[:first] + b"!\xff\x0bXMP DataXMP" + XMP + tail + data[first:],
        format="webp",
        metadata="copyright",
    )
    assert read_credits(made.data, "webp").credit == "Agency"
    assert "metadata-dropped" in made.notes


@pytest.mark.parametrize(
    ("block", "notes"), [(b"!\xfe\2hi\0", ("metadata-dropped",)), (b"!\xf9\4\0\0\0!\xfe\0", ())]
)
def test_only_a_gifs_comment_is_noted_and_not_the_same_bytes(
    block: bytes, notes: tuple[str, ...]
) -> None:
    data = gifs.gif(gifs.frame(gifs.FULL), end=block + b";")
    assert crop(data).notes == notes


@pytest.mark.parametrize("kind", WRITTEN)
def test_by_default_nothing_is_kept(kind: str) -> None:
    made = crop(source(kind), format=kind).data
    assert not read_credits(made, kind)
    assert b"Ann" not in made


def test_exif_alone_is_enough() -> None:
    made = crop(source("jpeg", with_xmp=False), metadata="copyright").data
    assert read_credits(made, "jpeg").creator == "Ann"


def test_iptc_is_read() -> None:
    fields = b"".join(
        b"\x1c\x02" + bytes([tag]) + len(text).to_bytes(2, "big") + text
        for tag, text in ((80, b"Ann"), (116, b"(c) Ann"), (110, b"Agency"), (5, b"secret title"))
    )
    resource = (
        b"8BIM\x04\x04\0\0" + len(fields).to_bytes(4, "big") + fields + b"\0" * (len(fields) % 2)
    )
    segment = b"Photoshop 3.0\0" + resource
    plain = pictures.jpeg(60, 40)
    data = plain[:2] + b"\xff\xed" + (len(segment) + 2).to_bytes(2, "big") + segment + plain[2:]
    made = crop(data, format="webp", metadata="copyright").data
    found = read_credits(made, "webp")
    assert (found.creator, found.rights, found.credit) == ("Ann", "(c) Ann", "Agency")
    assert b"secret title" not in made


@pytest.mark.parametrize(
    "xmp",
    [
        b"<x", b"\xff\xfe\x00", b"", b"<a>" * 3000,
        b'<!DOCTYPE a [<!ENTITY b "cc">]><a xmlns:d="http://purl.org/dc/elements/1.1/">'
        b"<d:creator>&b;</d:creator></a>",
    ],
    ids=["cut", "binary", "empty", "deep", "entities"],
)  # fmt: skip
def test_broken_metadata_says_nothing_and_fails_nothing(xmp: bytes) -> None:
    buffer = BytesIO()
    Image.new("RGB", (20, 20)).save(buffer, "JPEG", xmp=xmp or b" ")
    made = crop(buffer.getvalue(), metadata="copyright")
    assert made.error is None
    assert not read_credits(made.data, "jpeg")


def test_a_text_is_cut_and_cleaned() -> None:
    tags = Image.Exif()
    tags[0x013B] = "Ann\x1b[31m\n" + "x" * 9000
    buffer = BytesIO()
    Image.new("RGB", (20, 20)).save(buffer, "JPEG", exif=tags.tobytes())
    creator = read_credits(crop(buffer.getvalue(), metadata="copyright").data, "jpeg").creator
    assert creator.startswith("Ann [31m xxx")
    assert len(creator) == 2000


def test_a_gif_holds_no_credits_and_fails_nothing() -> None:
    assert crop(source("jpeg"), format="gif", metadata="copyright").error is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "cp037"])
def test_entities_are_never_expanded_in_whatever_encoding(encoding: str) -> None:
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY f "EXPANDED">]>'
        '<a xmlns:d="http://purl.org/dc/elements/1.1/"><d:creator>&f;</d:creator></a>'
    )
    buffer = BytesIO()
    Image.new("RGB", (20, 20)).save(buffer, "JPEG", xmp=text.encode(encoding))
    assert not read_credits(buffer.getvalue(), "jpeg")


@pytest.mark.parametrize("kind", ["webp", "avif", "png"])
def test_an_animation_keeps_its_credits(kind: str) -> None:
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "lime", "blue")]
    buffer = BytesIO()
    options: dict[str, object] = {"xmp": XMP}
    if kind == "png":
        options = {"pnginfo": PngInfo()}
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    frames[0].save(
        buffer, kind.upper(), save_all=True, append_images=frames[1:], duration=100,
        exif=exif(), **options,
    )  # fmt: skip
    made = crop(buffer.getvalue(), format=kind, metadata="copyright").data
    found = read_credits(made, kind)
    assert (found.creator, found.rights, found.credit) == ("Ann, Bob & Co", "\u00a9 Ann", "Agency")
    assert not any(secret in made for secret in SECRETS)
    with Image.open(BytesIO(made)) as image:
        assert image.n_frames == 3
        assert image.getexif()[0x013B] == "Ann, Bob & Co"
    assert not read_credits(crop(buffer.getvalue(), format=kind).data, kind)
