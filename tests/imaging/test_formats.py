"""The rows of the output formats, and what the page makes of them."""

import json
import re
from html import unescape
from typing import cast

import numpy as np
import pytest
from redis import Redis

from cropsvc.imaging import formats
from cropsvc.imaging.params import table
from cropsvc.jobs.service import Jobs
from cropsvc.model.limits import Lifetimes
from cropsvc.settings.settings import Settings
from cropsvc.store import Store
from cropsvc.web.app import app_of
from cropsvc.web.services import Services
from tests import pictures
from tests.imaging.engine import crop, opened

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


@pytest.fixture(scope="module")
def page() -> str:
    """The start page, with the form for browsers without JavaScript in it."""
    store = Store(Redis.from_url("redis://127.0.0.1:1"), Lifetimes(1, 1), ["secret"])
    app = app_of(Services(Settings(), store, cast(Jobs, None)))
    return unescape(app.test_client().get("/").text)


def test_the_page_offers_every_format_by_its_label_in_both_forms(page: str) -> None:
    options = re.findall(r'<option value="(\w+)"[^>]*>([^<]+)</option>', page)
    for row in formats.OUTPUTS.values():
        assert options.count((row.name, row.label)) == 2


def test_the_page_starts_from_the_default_qualities(page: str) -> None:
    listed = re.findall(r'value="(\w+)" data-quality="(\d+)"', page)
    assert {name: int(value) for name, value in listed} == {
        row.name: row.default_quality for row in formats.OUTPUTS.values() if row.default_quality
    }


def test_the_page_takes_every_input_and_knows_what_auto_is(page: str) -> None:
    accept = re.search(r'id="file"[^>]* accept="([^"]*)"', page)
    auto = re.search(r"data-auto='({.*?})'", page)
    assert accept
    assert auto
    types = [f"image/{name}" for name in formats.INPUTS]
    assert accept[1].split(",")[: len(types)] == types  # then HEIC, where its extra is installed
    assert ", ".join(formats.INPUTS.values()) in page
    assert json.loads(auto[1]) == formats.AUTO
