"""Geometry: properties that hold for any image and any valid request, and the contract's cases."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cropsvc.imaging.geometry.validate import Plan, check, plan
from cropsvc.imaging.headers.probe import Source
from cropsvc.imaging.params.model import Crop
from cropsvc.imaging.params.parser import parse
from cropsvc.model.errors import BadParameter, BoxOutside, TooManyPixels
from cropsvc.model.limits import Limits

sides = st.integers(1, 20_000)
ratios = st.fractions(Fraction(1, 1000), 1000, max_denominator=1000)
asked_sides = st.integers(1, 16_384)
percents = st.decimals(-150, 250, places=2, allow_nan=False)
pixels = st.decimals(-30_000, 30_000, places=2, allow_nan=False)
anchors = st.sampled_from(
    ["center", "top", "left", "bottom-right", "0,0", "1,1", "0.25,0.9", "0.5,0.5"]
)
fits = st.sampled_from(["cover", "contain", "inside", "stretch"])
rotations = st.sampled_from(["0", "90", "180", "270"])


@st.composite
def boxes(draw: st.DrawFn) -> str:
    """A valid box, mostly near the image."""
    percent = draw(st.booleans())
    place, length = (percents, percents) if percent else (pixels, pixels)
    x, y = draw(place), draw(place)
    width, height = draw(length.filter(lambda v: v > 0)), draw(length.filter(lambda v: v > 0))
    unit = "%" if percent else ""
    return ",".join(f"{value:f}{unit}" for value in (x, y, width, height))


requests = st.fixed_dictionaries(
    {},
    optional={
        "box": boxes(),
        "aspect": ratios.map(lambda r: f"{r.numerator}:{r.denominator}"),
        "anchor": anchors,
        "size": st.one_of(
            st.builds("{}x{}".format, asked_sides, asked_sides),
            asked_sides.map("{}x".format),
            asked_sides.map("x{}".format),
        ),
        "fit": fits,
        "enlarge": st.sampled_from(["true", "false"]),
        "rotate": rotations,
    },
)


def one(**params: str) -> Crop:
    return parse(params.items()).outputs[0]


def planned(width: int, height: int, params: dict[str, str]) -> Plan:
    """The plan, for examples in which something of the box is inside."""
    try:
        return plan(one(**params), width, height)
    except BoxOutside:
        assume(False)
        raise


def shown(width: int, height: int, params: dict[str, str]) -> tuple[int, int]:
    """The sides after `rotate`."""
    return (height, width) if params.get("rotate") in ("90", "270") else (width, height)


@given(sides, sides, requests)
def test_the_region_is_inside_and_has_a_pixel(
    width: int, height: int, params: dict[str, str]
) -> None:
    made = planned(width, height, params)
    x, y, w, h = made.region
    across, down = shown(width, height, params)
    assert 0 <= x < x + w <= across
    assert 0 <= y < y + h <= down
    assert min(*made.scaled, *made.canvas) >= 1


def near(width: int, height: int, ratio: Fraction) -> bool:
    """Whether the sides have this ratio within one pixel."""
    return abs(width - height * ratio) <= 1 or abs(height - width / ratio) <= 1


@given(sides, sides, ratios, anchors, st.none() | boxes())
def test_aspect_is_kept_within_a_pixel(
    width: int, height: int, ratio: Fraction, anchor: str, box: str | None
) -> None:
    params = {"aspect": f"{ratio.numerator}:{ratio.denominator}", "anchor": anchor}
    made = planned(width, height, params | ({"box": box} if box else {}))
    assert near(*made.region[2:], ratio)


@given(sides, sides, ratios)
def test_aspect_without_box_is_the_largest_region_of_that_ratio(
    width: int, height: int, ratio: Fraction
) -> None:
    made = planned(width, height, {"aspect": f"{ratio.numerator}:{ratio.denominator}"})
    assert made.region[2] == width or made.region[3] == height


@given(sides, sides, ratios, boxes())
def test_aspect_with_box_contains_the_box_or_is_the_largest(
    width: int, height: int, ratio: Fraction, box: str
) -> None:
    inner = planned(width, height, {"box": box}).region
    aspect = f"{ratio.numerator}:{ratio.denominator}"
    x, y, w, h = planned(width, height, {"box": box, "aspect": aspect}).region
    contains = (
        x <= inner[0]
        and y <= inner[1]
        and x + w >= inner[0] + inner[2]
        and y + h >= inner[1] + inner[3]
    )
    assert contains or w == width or h == height
    if contains and w < width and h < height:
        assert w == inner[2] or h == inner[3]  # no larger than it must be


@given(sides, sides, asked_sides, asked_sides, anchors)
def test_cover_fills_the_size_from_as_much_as_possible(
    width: int, height: int, w: int, h: int, anchor: str
) -> None:
    made = planned(width, height, {"size": f"{w}x{h}", "fit": "cover", "anchor": anchor})
    assert made.canvas == made.scaled == (w, h)
    assert made.region[2] == width or made.region[3] == height
    assert near(*made.region[2:], Fraction(w, h))


@given(sides, sides, asked_sides, asked_sides, st.sampled_from(["contain", "inside"]))
def test_contain_and_inside_show_the_whole_region_at_its_ratio(
    width: int, height: int, w: int, h: int, fit: str
) -> None:
    made = planned(width, height, {"size": f"{w}x{h}", "fit": fit})
    assert made.region == (0, 0, width, height)
    assert made.scaled[0] == w or made.scaled[1] == h
    assert made.scaled[0] <= w
    assert made.scaled[1] <= h
    assert made.canvas == ((w, h) if fit == "contain" else made.scaled)
    assert near(*made.scaled, Fraction(width, height)) or 1 in made.scaled


@given(sides, sides, requests)
def test_without_enlarge_nothing_is_scaled_up(
    width: int, height: int, params: dict[str, str]
) -> None:
    made = planned(width, height, params | {"enlarge": "false"})
    assert made.scaled[0] <= made.region[2]
    assert made.scaled[1] <= made.region[3]
    assert "enlarged" not in made.notes


@given(sides, sides, requests)
def test_enlarging_is_noted_exactly_where_it_happens(
    width: int, height: int, params: dict[str, str]
) -> None:
    made = planned(width, height, params)
    up = made.scaled[0] > made.region[2] or made.scaled[1] > made.region[3]
    assert ("enlarged" in made.notes) == up


@given(
    st.integers(1, 3000), st.integers(1, 3000), st.integers(2, 5), *[st.integers(0, 99)] * 2
)  # fmt: skip
def test_a_percent_region_scales_with_the_image(
    width: int, height: int, factor: int, x: int, y: int
) -> None:
    params = {"box": f"{x}%,{y}%,{100 - x}%,{100 - y}%"}
    small = planned(width, height, params).region
    large = planned(width * factor, height * factor, params).region
    for one_side, other in zip(small, large, strict=True):
        assert abs(other - one_side * factor) <= factor


@given(sides, sides, st.decimals(-100, 100, places=2), st.decimals("0.01", 100, places=2))
def test_edges_round_half_up(width: int, height: int, x: float, length: float) -> None:
    edges = (Fraction(x), Fraction(x) + Fraction(length))
    left, right = (int((edge + Fraction(1, 2)) // 1) for edge in edges)
    try:
        region = plan(one(box=f"{x:f},0,{length:f},{height}"), width, height).region
    except BoxOutside:
        assert right <= left or right <= 0 or left >= width
        return
    assert (region[0], region[0] + region[2]) == (max(left, 0), min(right, width))


@pytest.mark.parametrize(
    ("params", "region", "canvas"),
    [
        ({"box": "4,20%,150,40%"}, (4, 60, 150, 120), (150, 120)),
        ({"box": "0.5,0.5,1,1"}, (1, 1, 1, 1), (1, 1)),
        ({"rotate": "90"}, (0, 0, 300, 400), (300, 400)),
        ({"rotate": "90", "box": "0,0,50%,100%"}, (0, 0, 150, 400), (150, 400)),
        ({"aspect": "1:1", "anchor": "0.25,0.5"}, (0, 0, 300, 300), (300, 300)),
        ({"aspect": "1:1", "anchor": "0.5,0.5"}, (50, 0, 300, 300), (300, 300)),
        ({"aspect": "1:1", "anchor": "1,0"}, (100, 0, 300, 300), (300, 300)),
        # a named place is one of the region, a focal point one of the image
        ({"box": "0,0,200,100", "size": "9x9", "fit": "cover"}, (50, 0, 100, 100), (9, 9)),
        (
            {"box": "0,0,200,100", "size": "9x9", "fit": "cover", "anchor": "0.5,0.5"},
            (100, 0, 100, 100),
            (9, 9),
        ),
        (
            {"box": "0,0,200,100", "size": "9x9", "fit": "cover", "anchor": "left"},
            (0, 0, 100, 100),
            (9, 9),
        ),
        ({"size": "100x"}, (0, 0, 400, 300), (100, 75)),
        ({"size": "x1"}, (0, 0, 400, 300), (1, 1)),
        ({"size": "800x", "enlarge": "false"}, (0, 0, 400, 300), (400, 300)),
        ({"size": "600x600", "enlarge": "false"}, (50, 0, 300, 300), (300, 300)),
        (
            {"size": "600x100", "fit": "stretch", "enlarge": "false"},
            (0, 0, 400, 300),
            (400, 100),
        ),
        ({"size": "600x600", "fit": "inside", "enlarge": "false"}, (0, 0, 400, 300), (400, 300)),
        ({"size": "600x600", "fit": "contain", "enlarge": "false"}, (0, 0, 400, 300), (600, 600)),
        ({"box": "0,0,9,3", "size": "30x30"}, (0, 0, 9, 3), (30, 30)),
    ],
)
def test_the_contracts_cases(
    params: dict[str, str], region: tuple[int, ...], canvas: tuple[int, int]
) -> None:
    made = plan(one(**params), 400, 300)
    assert (made.region, made.canvas) == (region, canvas)


@pytest.mark.parametrize(
    "box", ["400,0,10,10", "0,300,10,10", "-10,0,10,10", "0,0,0.4,10", "101%,0,5,5", "0,0,0.1%,5"]
)
def test_a_box_of_which_nothing_is_left_is_outside(box: str) -> None:
    request = parse([("outputs", [{}, {"box": box}])])
    with pytest.raises(BoxOutside) as raised:
        check(request, Source("png", 400, 300), Limits())
    assert [error.field for error in raised.value.errors] == ["outputs[1].box"]


def test_wrong_sizes_are_named_before_boxes_outside() -> None:
    entries = [{"box": "999,0,5,5"}, {"size": "20000x5"}, {"size": "5x16385"}]
    with pytest.raises(BadParameter) as raised:
        check(parse([("outputs", entries)]), Source("png", 400, 300), Limits())
    assert [e.field for e in raised.value.errors] == ["outputs[1].size", "outputs[2].size"]
    assert "20000" in raised.value.detail
    assert "16384" in raised.value.detail


def test_a_top_level_field_is_named_without_an_index() -> None:
    with pytest.raises(BoxOutside) as raised:
        check(parse([("box", "999,0,5,5")]), Source("png", 400, 300), Limits())
    assert raised.value.errors[0].field == "box"
    assert "400x300" in raised.value.detail


@pytest.mark.parametrize(
    ("source", "params"),
    [
        (Source("png", 20_000, 10), {}),  # a side
        (Source("png", 10, 10), {"size": "x16384", "box": "0,0,10,1"}),  # a side that follows
        (Source("png", 16_384, 10), {"format": "webp"}),  # WebP ends at 16,383
    ],
)
def test_an_output_too_large_is_refused(source: Source, params: dict[str, str]) -> None:
    with pytest.raises(TooManyPixels):
        check(parse(params.items()), source, Limits())
