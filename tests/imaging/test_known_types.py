"""A refusal names the type of a file that is known and not read."""

import pytest
from PIL import Image, TiffImagePlugin

from cropsvc.imaging import extras
from cropsvc.imaging.headers.probe import probe
from cropsvc.model.errors import UnsupportedFormat
from cropsvc.model.limits import Limits
from tests import pictures

TYPES = {
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic": "HEIC",
    b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic": "HEIC",
    b"\0\0\0\x18ftypmp42\0\0\0\0isom": "MP4 video",
    b"\0\0\0\x14ftypqt  \0\0\0\0qt  ": "QuickTime video",
    b"\0\0\0\x18ftypcrx \0\0\0\1crx isom": "camera RAW (CR3)",
    b"\xff\x0a\x00\x10": "JPEG XL",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG 2000",
    b"8BPS\0\1": "Photoshop (PSD)",
    b"\0\0\1\0\1\0": "icon (ICO)",
    b"%PDF-1.7": "PDF",
    b"PK\3\4\x14": "ZIP",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>": "SVG",
    b"<?xml version='1.0'?>\n<!-- a -->\n<svg/>": "SVG",
    b"<!DOCTYPE html><html>": "HTML",
    b"<!doctype html>\n<p>hello": "HTML",
    b"<!DOCTYPE svg PUBLIC 'a' 'b'>\n<svg/>": "SVG",
    b"\xef\xbb\xbf<html>": "HTML",
    b"hello, world": "text",
}


@pytest.mark.parametrize(("data", "name"), TYPES.items(), ids=str)
def test_a_known_type_is_named(data: bytes, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "is_installed", lambda extra: False)
    with pytest.raises(UnsupportedFormat) as raised:
        probe(data, Limits())
    assert raised.value.detail.startswith(f"{name} files are not supported. Supported: JPEG, PNG")


@pytest.mark.parametrize("data", [b"\x81\x82\x83\x84junk", b"RIFF\0\0\0\0????", b"\0"])
def test_any_other_bytes_are_not_repeated(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat) as raised:
        probe(data, Limits())
    assert raised.value.detail.startswith("This file type is not supported.")
    assert "\\x" not in raised.value.detail


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(UnsupportedFormat, match="The file is empty"):
        probe(b"", Limits())


def tiff_with(tags: dict[int, object]) -> bytes:
    """A TIFF of 16x12 pixels with these tags as well."""
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        directory[tag] = value
    return pictures.save(Image.new("RGB", (16, 12)), "tiff", tiffinfo=directory)


MAKE, THUMBNAIL, SUB_IMAGES, DNG = 271, {254: 1}, {330: 200}, {50706: b"\1\4\0\0"}
RAW = {
    "CR2": b"II*\0\x10\0\0\0CR\2\0" + bytes(200),
    "DNG": tiff_with({MAKE: "Canon", **DNG}),
    "NEF": tiff_with({MAKE: "NIKON CORPORATION", **THUMBNAIL, **SUB_IMAGES}),
    "ARW": tiff_with({MAKE: "SONY", **THUMBNAIL, **SUB_IMAGES}),
}


@pytest.mark.parametrize("kind", RAW)
def test_a_cameras_raw_file_is_no_tiff(kind: str) -> None:
    """Its first image is a thumbnail, which would be cropped instead of the photo."""
    with pytest.raises(UnsupportedFormat, match=rf"camera RAW \({kind}\) files are not supported"):
        probe(RAW[kind], Limits())


@pytest.mark.parametrize("tags", [{MAKE: "SONY"}, {MAKE: "NIKON", **SUB_IMAGES}, THUMBNAIL])
def test_a_tiff_that_a_camera_or_a_program_made_is_a_tiff(tags: dict[int, object]) -> None:
    assert probe(tiff_with(tags), Limits()).format == "tiff"
