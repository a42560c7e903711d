"""Many crops from one upload."""

import json

import pytest

from tests import pictures
from tests.contract.client import Client, cut, output_of, problem
from tests.stack import Stack

PIXELS = pictures.pattern(80, 60)
DATA = pictures.encode(PIXELS)


def test_each_output_has_its_own_crop_name_and_format(api: Client) -> None:
    outputs = [
        {"name": "thumb", "box": "0,0,20,20", "size": "10x10"},
        {"box": "5,6,7,8"},
        {"name": "web", "format": "webp", "quality": 50, "enlarge": False},
    ]
    job = api.crop(DATA, outputs=json.dumps(outputs))
    assert [output["name"] for output in job["outputs"]] == ["thumb", "1", "web"]
    assert [output["format"] for output in job["outputs"]] == ["png", "png", "webp"]
    assert pictures.decode(api.bytes_of(job, "thumb")).shape[:2] == (10, 10)
    assert (pictures.decode(api.bytes_of(job, "1")) == cut(PIXELS, (5, 6, 7, 8))).all()
    assert pictures.decode(api.bytes_of(job, "web")).shape[:2] == (60, 80)


def test_top_level_parameters_are_the_defaults_of_each(api: Client) -> None:
    outputs = '[{},{"box":"1,1,2,2"},{"size":"9x9"}]'
    job = api.crop(DATA, outputs=outputs, box="0,0,30,30", size="6x6", format="webp")
    told = [(o["region"], o["width"], o["format"]) for o in job["outputs"]]
    assert told == [
        ([0, 0, 30, 30], 6, "webp"),
        ([1, 1, 2, 2], 6, "webp"),
        ([0, 0, 30, 30], 9, "webp"),
    ]


def test_numbers_and_booleans_may_be_json_ones(api: Client) -> None:
    outputs = [{"quality": 40, "rotate": 90, "enlarge": True}, {"quality": "40", "rotate": "90"}]
    job = api.crop(DATA, outputs=json.dumps(outputs))
    first, second = (api.bytes_of(job, name) for name in "01")
    assert first == second
    assert pictures.decode(first).shape[:2] == (80, 60)


def test_sixteen_outputs_are_made(api: Client) -> None:
    outputs = [{"box": f"{i},0,5,5"} for i in range(16)]
    job = api.crop(DATA, outputs=json.dumps(outputs))
    assert [output["region"][0] for output in job["outputs"]] == list(range(16))
    for i in (0, 7, 15):
        assert (pictures.decode(api.bytes_of(job, str(i))) == cut(PIXELS, (i, 0, 5, 5))).all()


def test_outputs_from_a_form_field(api: Client) -> None:
    job = api.ended(api.accept(api.upload(DATA, outputs='[{"name":"a"},{"name":"b"}]')))
    assert [output["name"] for output in job["outputs"]] == ["a", "b"]


@pytest.fixture(scope="module")
def tight(make_module_stack) -> Stack:
    """A stack whose crops may use 512 MiB and 2 seconds."""
    return make_module_stack(job_memory="512MiB", job_timeout=2, workers=1, max_pixels=10**9)


HUGE = {"name": "huge", "size": "16384x16384", "fit": "stretch", "format": "png"}  # 1 GiB of pixels


def test_one_failed_output_does_not_spoil_the_others(tight: Stack) -> None:
    with Client(tight.url) as api:
        job = api.crop(DATA, outputs=json.dumps([HUGE, {"name": "fine", "box": "1,2,3,4"}]))
        huge = output_of(job, "huge")
        assert (huge["state"], huge["error"]["code"]) == ("failed", "out-of-memory")
        assert (pictures.decode(api.bytes_of(job, "fine")) == cut(PIXELS, (1, 2, 3, 4))).all()
        problem(api.get(f"/v1/crops/{job['id']}/image/huge"), 422, "out-of-memory")


def test_a_job_whose_outputs_all_fail_fails(tight: Stack) -> None:
    with Client(tight.url) as api:
        job = api.ended(api.accepted(DATA, outputs=json.dumps([HUGE])))
        assert (job["state"], job["error"]["code"]) == ("failed", "out-of-memory")


def test_a_crop_that_takes_too_long_is_timed_out_and_the_next_one_runs(tight: Stack) -> None:
    with Client(tight.url) as api:
        slow = {"format": "avif", "quality": 90, "outputs": "[{},{},{},{}]"}
        job = api.ended(api.accepted(pictures.large(), **slow))
        assert (job["state"], job["error"]["code"]) == ("failed", "timed-out")
        assert job["progress"] < 1
        problem(api.get(job["links"]["image"]), 422, "timed-out")
        api.crop(DATA, box="0,0,9,9")
