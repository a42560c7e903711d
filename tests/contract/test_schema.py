"""/openapi.json is true to the service: schemathesis asks, with every check of its own on."""

import io
import json
import os
import re
from collections.abc import Iterator
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from hypothesis import strategies as st
from PIL import Image
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection

from tests import pictures
from tests.contract.client import Client

EXAMPLES = int(os.environ.get("CROPSVC_TEST_EXAMPLES", "25"))  # per operation
WAIT = 0.2  # seconds: a generated wait must not hold the run for its 30
SIDE = 200  # pixels: an output of 16,384 x 16,384 is allowed, and takes seconds

KINDS = ("png", "jpeg", "webp", "gif", "bmp", "tiff")

# A well-formed box may lie outside the picture that came with it, and an idempotency key may
# stand for another request already: no schema can say so. The service answers 422. Nor can it say
# that a Range lies outside the bytes: 416.
ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "416", "422", "429"]
CONFIG = {"checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}}}

# The page's form ignores empty and unknown fields, as a form sends them: schemathesis makes such
# and wants a refusal.
LENIENT = ("/crops",)


@st.composite
def images(draw: st.DrawFn) -> bytes:
    """A real picture, small, in any format that is read."""
    size = draw(st.tuples(st.integers(1, 64), st.integers(1, 64)))
    colour = draw(st.tuples(*[st.integers(0, 255)] * 3))
    return pictures.save(Image.new("RGB", size, colour), draw(st.sampled_from(KINDS)))


@st.composite
def outputs(draw: st.DrawFn) -> str:
    """A list of crops as JSON text, which schemathesis does not make from a contentSchema."""
    entry = st.fixed_dictionaries(
        {},
        optional={
            "box": st.sampled_from(["0,0,50%,50%", "1,2,3,4", "25%,25%,50%,50%"]),
            "aspect": st.sampled_from(["16:9", "1.5", 1.5, 2]),
            "size": st.sampled_from(["30x20", "x10", "40x"]),
            "fit": st.sampled_from(["cover", "contain", "inside", "stretch"]),
            "enlarge": st.booleans(),
            "rotate": st.sampled_from([0, 90, "180", 270]),
            "format": st.sampled_from(["auto", "jpeg", "png", "webp", "gif"]),
            "quality": st.integers(1, 100),
            "background": st.from_regex("^#[0-9a-f]{6}$", fullmatch=True),
        },
    )
    return json.dumps(draw(st.lists(entry, min_size=1, max_size=4)))


IMAGE_TYPES = ["image/*", "application/octet-stream", *(f"image/{k}" for k in (*KINDS, "avif"))]
for name in IMAGE_TYPES:
    schemathesis.openapi.media_type(name, images())
schemathesis.openapi.format("binary", images())
schemathesis.openapi.format("outputs", outputs())


@pytest.fixture(scope="session")
def api_schema(base_url: str):  # type: ignore[no-untyped-def]
    config = SchemathesisConfig.from_dict({**CONFIG, "base-url": base_url})
    described = strict(httpx.get(f"{base_url}/openapi.json").json())
    return schemathesis.openapi.from_dict(described, config=config)


def strict(described: dict[str, Any]) -> dict[str, Any]:
    """The description, with the codes that each status may have as part of the schema."""
    for operation in (call for path in described["paths"].values() for call in path.values()):
        for response in operation["responses"].values():
            if "x-codes" in response:
                [content] = response["content"].values()
                codes = {"properties": {"code": {"enum": response["x-codes"]}}}
                content["schema"] = {"allOf": [content["schema"], codes]}
    return described


@pytest.fixture(autouse=True)
def node_id(request: pytest.FixtureRequest) -> None:
    """Schemathesis 4.32 adds the operation to a private name of pytest's that 9.2 has no more."""
    request.node._nodeid = request.node.nodeid


schema = schemathesis.pytest.from_fixture("api_schema")


@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,  # the other half of the machine is busy with the service itself
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    derandomize=True,
)
def test_the_service_is_what_its_description_says(case, living: Client) -> None:  # type: ignore[no-untyped-def]
    # What schemathesis holds of a case stands: it takes any form with a picture that was changed
    # for a wrong one.
    case.freeze_metadata()
    for values in (case.query, case.body):
        if isinstance(values, dict):
            keep_cheap(values)
    if case.meta.generation.mode.is_positive:
        agree(case)
        take_a_living_job(case, living)
    excluded = [negative_data_rejection] if case.path in LENIENT else []
    case.call_and_validate(timeout=40, excluded_checks=excluded)


@pytest.fixture(scope="session")
def living(base_url: str) -> Iterator[Client]:
    """A client to make jobs with: an id that schemathesis makes up is never one."""
    with Client(base_url) as client:
        yield client


def take_a_living_job(case: Any, client: Client) -> None:
    """Asks for a job that there is, every other time."""
    made_up = (case.path_parameters or {}).get("id", "a")
    if "{id}" not in case.path or made_up[-1] in "abcdefghijklmnop":
        return
    job = client.accepted(pictures.png(), wait=10, size="20x20")
    case.path_parameters["id"] = job["id"]
    if "name" in case.path_parameters and made_up[0] in "abcdefghijklmnop":
        case.path_parameters["name"] = "0"


def keep_cheap(values: dict[str, Any]) -> None:
    """Makes a valid wait short and a valid size small; what is wrong goes out as it was made."""
    wait, size = values.get("wait"), values.get("size")
    if isinstance(wait, str) and re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,6})?", wait):
        values["wait"] = str(min(float(wait), WAIT))
    if isinstance(size, str) and re.fullmatch(r"[0-9]{0,5}x[0-9]{0,5}", size):
        values["size"] = re.sub("[0-9]+", lambda side: str(min(int(side[0]), SIDE)), size)


def agree(case: Any) -> None:
    """Settles between query and body what OpenAPI cannot: each name once, and one picture."""
    form = case.body if isinstance(case.body, dict) else {}
    pictures_of_form = [name for name in ("image", "source", "sample") if name in form]
    for name in pictures_of_form[1:]:
        del form[name]  # the coverage phase fills in every property, past the schema's oneOf
    has_picture = isinstance(case.body, bytes) or pictures_of_form
    repeated = {*form, "source"} if has_picture else set(form)
    for name in repeated & set(case.query or {}):
        del case.query[name]
    fixed = form.get("fixed", {})  # of a token
    for name in set(form.get("parameters", ())) & set(fixed):
        del fixed[name]
    for values in (form, fixed, case.query or {}):
        suit_the_format(values)
    takes_a_picture = case.method == "POST" and case.path in ("/v1/crops", "/v1/detect")
    if takes_a_picture and not has_picture and "source" not in (case.query or {}):
        case.query = {**(case.query or {}), "source": "a" * 48}


def suit_the_format(values: dict[str, Any]) -> None:
    """Leaves out what only some formats take; which one `auto` is, the image decides."""
    for name in ("max_bytes", "lossless"):
        values.pop(name, None)


def test_the_strategy_makes_images() -> None:
    @hypothesis.given(images())
    @hypothesis.settings(max_examples=10, deadline=None)
    def opens(data: bytes) -> None:
        Image.open(io.BytesIO(data)).load()

    opens()
