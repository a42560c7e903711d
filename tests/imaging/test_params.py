"""Parsing: the table of the API, strict, every wrong field named."""

import contextlib
import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cropsvc.imaging.params.model import Crop
from cropsvc.imaging.params.parser import PARAMETERS, CropRequest, parse
from cropsvc.model.errors import BadParameter


def fields(*pairs: tuple[str, object]) -> list[str]:
    """The fields that are refused."""
    with pytest.raises(BadParameter) as raised:
        parse(pairs)
    return [error.field for error in raised.value.errors]


def one(**params: object) -> Crop:
    """The only output of these parameters."""
    return parse(params.items()).outputs[0]


def test_nothing_asked_is_one_output_of_the_whole_image() -> None:
    assert parse([]).outputs == (Crop(),)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("box", "1,2,3"),
        ("box", "1,2,3,4,5"),
        ("box", "1,2,3,nan"),
        ("box", "1,2,inf,4"),
        ("box", "1,2,1e3,4"),
        ("box", "1,2,0x10,4"),
        ("box", "1,2,+3,4"),
        ("box", "1,2,0,4"),
        ("box", "1,2,3,-4"),
        ("box", "1,2,0%,4"),
        ("box", "1,2,3%%,4"),
        ("box", "--1,2,3,4"),
        ("box", " 1,2,3,4"),
        ("box", "1,2,3,4\n"),
        ("box", "1,2,1_0,4"),
        ("box", "1,2,3,\u0664"),  # an Arabic digit
        ("box", "1,2,3,.5"),
        ("box", "1,2,3,5."),
        ("box", "1,2,3,1234567890123"),
        ("box", ""),
        ("aspect", "16:0"),
        ("aspect", "-1"),
        ("aspect", "1:2:3"),
        ("aspect", "wide"),
        ("aspect", "NaN"),
        ("anchor", "middle"),
        ("anchor", "0.5"),
        ("anchor", "0.5,1.1"),
        ("anchor", "-0.1,0.5"),
        ("size", "x"),
        ("size", "300"),
        ("size", "0x300"),
        ("size", "300x0"),
        ("size", "-3x3"),
        ("size", "300x300x300"),
        ("size", "100000x1"),
        ("size", "3.5x3"),
        ("fit", "fill"),
        ("enlarge", "yes"),
        ("enlarge", "1"),
        ("rotate", "45.123"),
        ("rotate", "-360.01"),
        ("rotate", "361"),
        ("format", "jpg"),
        ("format", "tiff"),
        ("quality", "0"),
        ("quality", "101"),
        ("quality", "82.0"),
        ("quality", "\u0661"),
        ("background", "red"),
        ("background", "#fff"),
        ("background", "#12345g"),
        ("preset", "modern"),
        ("outputs", "{}"),
        ("outputs", "[]"),
        ("outputs", "[1]"),
        ("outputs", "[{}"),
        ("outputs", "[" * 100_000),
        ("outputs", json.dumps([{}] * 17)),
        ("unknown", "1"),
        ("name", "a"),
    ],
)
def test_what_is_not_in_the_table_is_refused_by_name(name: str, text: str) -> None:
    assert fields((name, text)) == [name]


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, float("nan"), float("inf"), 10**400, 1.5])
def test_values_of_another_kind_are_refused(value: object) -> None:
    assert fields(("quality", value)) == ["quality"]


@pytest.mark.parametrize("name", [p.name for p in PARAMETERS])
def test_a_repeated_parameter_is_refused(name: str) -> None:
    good = {"box": "0,0,1,1", "aspect": "1", "anchor": "top", "size": "1x1", "fit": "cover",
            "enlarge": "true", "rotate": "0", "format": "png", "quality": "5",
            "lossless": "true", "effort": "small", "max_bytes": "2000", "metadata": "none",
            "background": "#000000", "strict": "true", "outputs": "[{}]",
            "preset": "classic", "hdr": "keep"}[name]  # fmt: skip
    assert fields((name, good), (name, good)) == [name]


def test_every_wrong_field_is_named_at_once() -> None:
    entries = [{}, {"quality": 101, "x": 1}, {"box": "1"}]
    wrong = fields(("rotate", "400"), ("outputs", json.dumps(entries)))
    assert wrong == ["rotate", "outputs[1].quality", "outputs[1].x", "outputs[2].box"]


def test_an_unknown_parameter_is_named_once_however_often_it_came() -> None:
    assert fields(("foo", "1"), ("bar", "2"), ("foo", "3")) == ["foo", "bar"]


def test_a_name_repeated_inside_an_entry_is_refused() -> None:
    assert fields(("outputs", '[{"quality": 5, "quality": 6}]')) == ["outputs[0].quality"]


def test_numbers_and_booleans_are_taken_where_natural() -> None:
    entry = '[{"quality": 5, "rotate": 90, "aspect": 1.5, "enlarge": false}]'
    crop = parse([("outputs", entry)]).outputs[0]
    assert (crop.quality, crop.rotate, crop.aspect, crop.enlarge) == (5, 90, Fraction(3, 2), False)
    assert one(quality=5, rotate=90, aspect=1.5, enlarge=False) == one(
        quality="5", rotate="90", aspect="1.5", enlarge="false"
    )


@pytest.mark.parametrize(
    "entry",
    ['{"quality": true}', '{"enlarge": 1}', '{"box": 5}', '{"name": 5}', '{"size": null}',
     '{"aspect": NaN}', '{"aspect": 1e2}', '{"quality": 5.0}', '{"outputs": []}',
     '{"preset": "classic"}', '{"name": "A"}', '{"name": ""}', '{"name": "a b"}'],
)  # fmt: skip
def test_what_is_not_natural_in_an_entry_is_refused(entry: str) -> None:
    key = next(iter(json.loads(entry)))
    assert fields(("outputs", f"[{entry}]")) == [f"outputs[0].{key}"]


def test_outputs_may_be_a_list_already() -> None:
    assert parse([("outputs", [{"size": "5x5"}])]) == parse([("outputs", '[{"size": "5x5"}]')])


def test_top_level_parameters_are_defaults_for_each_output() -> None:
    crops = parse([("size", "5x5"), ("outputs", '[{"size": "6x6"}, {"name": "b"}]')]).outputs
    assert [str(crop.size) for crop in crops] == ["6x6", "5x5"]
    assert [crop.name for crop in crops] == ["0", "b"]


def test_output_names_are_unique_and_default_to_their_index() -> None:
    assert fields(("outputs", '[{"name": "1"}, {}]')) == ["outputs[1].name"]


def test_explicit_parameters_override_the_preset() -> None:
    classic = one(preset="classic")
    assert (str(classic.box), str(classic.size), classic.fit) == (
        "4,20%,150,40%",
        "300x300",
        "stretch",
    )
    assert str(one(preset="classic", size="5x5").size) == "5x5"


def test_an_error_is_not_far_larger_than_its_request() -> None:
    text = "[{" + ",".join(f'"{number:x}": 1' for number in range(9000)) + "}]"
    with pytest.raises(BadParameter) as caught:
        parse([("outputs", text)])
    assert len(caught.value.errors) == 50
    assert caught.value.detail.endswith("; and 8950 more")


def test_unknown_names_can_be_ignored() -> None:
    assert parse([("jobid", "x"), ("rotate", "90")], ignore_unknown=True).outputs[0].rotate == 90
    assert fields(("jobid", "x")) == ["jobid"]


def test_a_long_value_is_not_repeated_in_full() -> None:
    with pytest.raises(BadParameter) as raised:
        parse([("format", "x" * 10_000), ("y" * 10_000, "1")])
    assert len(raised.value.detail) < 1000


@pytest.mark.parametrize(
    ("one_way", "another"),
    [
        ({"box": "1,2,3,4"}, {"box": "1.0,2.00,3,04"}),
        ({"box": "-0,0,1,1"}, {"box": "0,0,1,1"}),
        ({"aspect": "16:9"}, {"aspect": "32:18"}),
        ({"aspect": "3:2"}, {"aspect": "1.5"}),
        ({"background": "#AABBCC"}, {"background": "#aabbcc"}),
        ({"anchor": "center"}, {}),
        ({"outputs": "[{}]"}, {}),
        ({"outputs": '[{"size":"5x5"}]'}, {"size": "5x5"}),
    ],
)
def test_equal_requests_have_equal_canonical_text(
    one_way: dict[str, str], another: dict[str, str]
) -> None:
    first, second = parse(one_way.items()), parse(another.items())
    assert first == second
    assert first.to_json() == second.to_json()


numbers = st.decimals(0, 99999, allow_nan=False, places=3).map(lambda value: f"{value:f}")
lengths = st.builds(lambda number, percent: number + percent, numbers, st.sampled_from(["", "%"]))
boxes = st.tuples(*[lengths] * 4).filter(lambda b: all(float(s.strip("%")) > 0 for s in b[2:]))
crops = st.fixed_dictionaries(
    {},
    optional={
        "box": boxes.map(",".join),
        "aspect": st.sampled_from(["16:9", "1", "1.91:1", "0.333"]),
        "anchor": st.sampled_from(["top-left", "center", "0.25,0.75", "0.3333,1"]),
        "size": st.sampled_from(["5x5", "5x", "x5", "16384x1"]),
        "fit": st.sampled_from(["cover", "contain", "inside", "stretch"]),
        "enlarge": st.booleans(),
        "rotate": st.sampled_from([0, 90, "180", 270]),
        "format": st.sampled_from(["auto", "jpeg", "png"]),
        "quality": st.integers(1, 100),
        "background": st.sampled_from(["#000000", "#FFFFFF80"]),
    },
)


@given(st.lists(crops, min_size=1, max_size=16))
def test_the_canonical_text_gives_the_request_back(entries: list[dict[str, object]]) -> None:
    request = parse([("outputs", json.dumps(entries))])
    text = request.to_json()
    assert CropRequest.from_json(text) == request
    assert CropRequest.from_json(text).to_json() == text


@given(st.sampled_from([p.name for p in PARAMETERS]), st.text() | st.binary() | st.floats())
def test_no_value_raises_anything_but_bad_parameter(name: str, value: object) -> None:
    with contextlib.suppress(BadParameter):
        parse([(name, value)])


def test_an_entry_that_is_no_object_is_named_by_its_kind() -> None:
    kinds: tuple[tuple[object, str], ...] = (
        (5, "a number"),
        (1.5, "a number"),
        (True, "a boolean"),
        (None, "null"),
        ("x", "a string"),
    )
    for entry, kind in kinds:
        with pytest.raises(BadParameter, match=f"must be an object, not {kind}"):
            parse([("outputs", [entry])])


def test_a_number_with_too_many_digits_is_refused_with_the_limit() -> None:
    with pytest.raises(BadParameter, match="at most 12 digits"):
        parse([("quality", 10**12)])
