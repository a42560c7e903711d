"""The rows of the output formats, and the lists elsewhere that repeat them."""

import re
from pathlib import Path

import numpy as np
import pytest

from cropsvc.cli import files
from cropsvc.imaging import formats
from cropsvc.imaging.params import table
from tests import pictures
from tests.imaging.engine import crop, opened

WEB = Path(files.__file__).parents[1] / "web"
HALF_CLEAR = np.dstack(
    [np.full((8, 8, 3), 90, np.uint8), np.repeat([[0, 100, 200, 255]], 8, 0).repeat(2, 1)]
).astype(np.uint8)


@pytest.mark.parametrize("row", formats.OUTPUTS.values(), ids=lambda row: row.name)
def test_an_output_holds_the_alpha_that_its_row_says(row: formats.Format) -> None:
    made = opened(crop(pictures.encode(HALF_CLEAR), format=row.name))
    levels = set(made.convert("RGBA").getchannel("A").get_flattened_data())
    held = {frozenset({255}): "none", frozenset({0, 255}): "on or off"}
    assert held.get(frozenset(levels), "full") == row.alpha


@pytest.mark.parametrize("row", formats.OUTPUTS.values(), ids=lambda row: row.name)
def test_quality_changes_the_bytes_where_the_row_has_a_default(row: formats.Format) -> None:
    data = pictures.encode(pictures.photo(60, 40))
    low, high = (crop(data, format=row.name, quality=quality).data for quality in ("5", "95"))
    assert (low != high) is (row.default_quality is not None)


@pytest.mark.parametrize("row", formats.OUTPUTS.values(), ids=lambda row: row.name)
def test_an_animation_stays_one_where_the_row_says_so(row: formats.Format) -> None:
    made = opened(crop(pictures.animation(), format=row.name))
    assert (getattr(made, "n_frames", 1) > 1) is row.animation


def test_every_format_has_its_own_suffixes_and_content_type() -> None:
    rows = formats.OUTPUTS.values()
    assert len(formats.BY_SUFFIX) == sum(len(row.suffixes) for row in rows)
    assert len(set(formats.CONTENT_TYPES.values())) == len(formats.CONTENT_TYPES)


def test_the_parameter_offers_every_row() -> None:
    assert list(table.FORMATS) == ["auto", *formats.OUTPUTS]


@pytest.mark.parametrize("page", ["index.html", "plain.html"])
def test_the_pages_offer_every_format_by_its_label(page: str) -> None:
    text = (WEB / "templates" / page).read_text(encoding="utf-8")
    offered = dict(re.findall(r'<option value="(\w+)">([^<]+)</option>', text))
    assert {name: offered.get(name) for name in formats.OUTPUTS} == {
        row.name: row.label for row in formats.OUTPUTS.values()
    }


def test_the_page_starts_from_the_default_qualities() -> None:
    text = (WEB / "static" / "js" / "output.js").read_text(encoding="utf-8")
    listed = re.search(r"const QUALITY = \{([^}]*)\}", text)
    assert listed
    assert {name: int(value) for name, value in re.findall(r"(\w+): (\d+)", listed[1])} == {
        row.name: row.default_quality for row in formats.OUTPUTS.values() if row.default_quality
    }
