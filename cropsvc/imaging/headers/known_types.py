"""Names of file types that are not read, by their first bytes, so that a refusal can say them."""

import re

SIGNATURES = (  # first bytes -> name
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS", "Photoshop (PSD)"),
    (b"\0\0\1\0", "icon (ICO)"),
    (b"\0\0\2\0", "cursor (CUR)"),
    (b"icns", "icon (ICNS)"),
    (b"%PDF-", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"PK\3\4", "ZIP"),
    (b"PK\5\6", "ZIP"),
    (b"Rar!\x1a\7", "RAR"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"\x1f\x8b", "gzip"),
    (b"\x1aE\xdf\xa3", "Matroska or WebM"),
    (b"FUJIFILMCCD-RAW", "camera RAW (RAF)"),
    (b"IIU\0", "camera RAW (RW2)"),
    (b"IIRO", "camera RAW (ORF)"),
    (b"II\x1a\0\0\0HEAPCCDR", "camera RAW (CRW)"),
    (b"qoif", "QOI"),
    (b"DDS ", "DirectDraw Surface (DDS)"),
    (b"v/1\1", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"II\xbc\1", "JPEG XR"),
    (b"gimp xcf", "GIMP (XCF)"),
    (b"\xd7\xcd\xc6\x9a", "Windows Metafile (WMF)"),
)
BRANDS = (  # of an ISO base media file -> name
    ((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC"),
    ((b"crx ",), "camera RAW (CR3)"),
    ((b"qt  ",), "QuickTime video"),
    ((b"jxl ",), "JPEG XL"),
)
MARKUP = re.compile(
    rb"\s*(?:<\?xml[^>]*>|<!--.*?-->|<!doctype svg[^>]*>|\s)*<(svg|html|head|body|!doctype html)\b",
    re.I | re.S,
)
LOOKED_AT = 1024  # bytes of a text in which its first element is looked for


def name_of_type(data: bytes) -> str | None:
    """Return the name of a file type that is known, but not read; None for any other."""
    if not data:
        return "empty"
    if data[4:8] == b"ftyp":
        return _by_brand(data)
    if data.startswith(b"RIFF") and data[8:12] in (b"WAVE", b"AVI "):
        return "sound or video (RIFF)"
    for first, name in SIGNATURES:
        if data.startswith(first):
            return name
    return _by_text(data[:LOOKED_AT])


def _by_brand(data: bytes) -> str:
    return next((name for brands, name in BRANDS if data[8:12] in brands), "MP4 video")


def _by_text(start: bytes) -> str | None:
    markup = MARKUP.match(start.removeprefix(b"\xef\xbb\xbf"))
    if markup:
        return "SVG" if markup[1].lower() == b"svg" else "HTML"
    is_text = not set(start) - TEXT
    return "text" if is_text else None


TEXT = frozenset((*range(0x20, 0x7F), 0x09, 0x0A, 0x0D))
