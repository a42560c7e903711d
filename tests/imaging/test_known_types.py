"""A refusal names the type of a file that is known and not read."""

import pytest

from cropsvc.imaging import extras
from cropsvc.imaging.headers.probe import probe
from cropsvc.model.errors import UnsupportedFormat
from cropsvc.model.limits import Limits

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
