"""The names of files in a ZIP: safe to unpack on every system, and different."""

import pytest

from cropsvc.web.zip_stream import LONGEST_NAME, SafeNames


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("beach.png", "beach.jpg"), ("photo-1.5", "photo-1.5.jpg"), ("v2.final", "v2.final.jpg"),
        ("IMG_1.HEIC", "IMG_1.jpg"), ("a.tar.gz", "a.tar.gz.jpg"), ("../../x", "x.jpg"),
        ("C:\\dir\\x?.png", "x_.jpg"), ("..", "image.jpg"), ("", "image.jpg"),
        ("CON", "_CON.jpg"), ("nul.png", "_nul.jpg"), ("com1.x", "_com1.x.jpg"),
        ("console", "console.jpg"), ("a\x00b\n", "a_b_.jpg"), (".hidden", "hidden.jpg"),
        ("x. ", "x.jpg"), ("a" * 300, "a" * LONGEST_NAME + ".jpg"), ("caf\u00e9", "caf\u00e9.jpg"),
    ],
)  # fmt: skip
def test_a_name_is_made_safe(wanted: str, name: str) -> None:
    assert SafeNames().of(wanted, "jpg") == name


def test_names_differ_where_case_does_not_count() -> None:
    names = SafeNames()
    made = [names.of(wanted, "png") for wanted in ("a", "A", "a.png", "stra\u00dfe", "STRASSE")]
    assert made == ["a.png", "A (2).png", "a (3).png", "stra\u00dfe.png", "STRASSE (2).png"]
