"""Operator presets: read once, checked, named with their line where they are wrong."""

from dataclasses import replace
from fractions import Fraction

import pytest

from cropsvc.imaging.params.parser import parse
from cropsvc.imaging.params.presets import presets_of
from cropsvc.model.errors import BadParameter
from cropsvc.settings.settings import ConfigError, Settings

TOML = """\
# ours
[avatar]
description = "Square"
aspect = "1:1"
size = "256x256"
quality = 70
enlarge = false

[wide]
aspect = 1.5
"""
PRESETS = presets_of(Settings(presets=TOML))


def test_a_preset_is_its_parameters() -> None:
    [crop] = parse([("preset", "avatar")], presets=PRESETS).outputs
    assert (crop.aspect, str(crop.size), crop.quality, crop.enlarge) == (1, "256x256", 70, False)
    [wide] = parse([("preset", "wide")], presets=PRESETS).outputs
    assert wide.aspect == Fraction(3, 2)


def test_explicit_parameters_override_it() -> None:
    [crop] = parse([("preset", "avatar"), ("quality", "5")], presets=PRESETS).outputs
    assert crop.quality == 5


def test_the_built_in_one_stays_unless_it_is_replaced() -> None:
    assert PRESETS.names == ["classic", "avatar", "wide"]
    own = presets_of(Settings(presets='[classic]\nsize = "1x1"\n'))
    assert [(one.name, one.parameters) for one in own.entries] == [("classic", (("size", "1x1"),))]


def test_an_unknown_preset_is_refused_with_the_known_names() -> None:
    with pytest.raises(BadParameter, match="preset: 'nose': must be one of classic, avatar, wide"):
        parse([("preset", "nose")], presets=PRESETS)


@pytest.mark.parametrize(
    "pairs",
    [
        [("quality", "5")],
        [("preset", "avatar"), ("size", "1x1")],
        [("outputs", '[{"size": "1x1"}]')],
    ],
)
def test_presets_only_refuses_every_other_cropping_parameter(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(BadParameter, match=f"{pairs[-1][0]}: this server takes presets only"):
        parse(pairs, presets=replace(PRESETS, only=True))


def test_presets_only_takes_a_preset() -> None:
    assert parse([("preset", "avatar")], presets=replace(PRESETS, only=True)).outputs[0].quality


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[a]\n\nsize = "0x"\n', 3, "size"),
        ('[b]\nsize = "1x"\n[a]\nnose = "1"\n', 4, "no such parameter"),
        ("[a]\ndescription = 5\n", 2, "text"),
        ("[a.b]\nsize = '1x1'\n", 1, "no such parameter"),
        ("['A b']\nsize = '1x1'\n", 1, "a-z"),
        ("size = '1x1'\n", 1, "table"),
        ("[a]\nquality = 101\n", 2, "100"),
        ("[a]\nbox = [1, 2, 3, 4]\n", 2, "box"),
        ("[a]\nformat = 'jpeg'\nlossless = true\n", 3, "without loss"),
        ("[a]\nmax_bytes = 2000\nformat = 'png'\n", 2, "no quality to lower"),
        ("[a]\nsize = '99999x1'\n", 2, "too long"),
    ],
)
def test_a_wrong_entry_stops_the_start_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError, match=rf"^CROPSVC_PRESETS: line {line}, .*{words}"):
        presets_of(Settings(presets=text))
